"""Prompts of one's own with blanks: what is given stands in every row, and each blank is written."""

import json
import re
from pathlib import Path

import pytest
import torch

from harness.__main__ import main
from harness.data.blanks import Blanks
from harness.data.exact import Exact
from harness.data.fasta import Fasta
from harness.data.prose import Prose
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.words import Spelling
from harness.records.store import Store
from harness.spec import ROOT
from tests.test_cli import refuses
from tests.test_moses import data as molecules  # noqa: F401    # a fixture, made of another
from tests.test_moses import wheel  # noqa: F401
from tests.test_readme import call

TEXT = WikipediaLeads(length=24)
LINES = "the king of ____ was\n\n  a_b\n"


@pytest.fixture
def lines(tmp_path) -> str:
    (tmp_path / "mine.txt").write_text(LINES)
    return str(tmp_path / "mine.txt")


def test_rows_are_given_the_texts_in_turn_and_what_is_behind_a_short_one_is_open(lines):
    data = Blanks(TEXT, lines)
    assert data.decode(data.prompts(0, 3)) == ["the king of ____ was____", "a_b" + "_" * 21, "the king of ____ was____"]
    assert torch.equal(data.prompts(2, 3), data.prompts(0, 1)) and torch.equal(data.rows("test", 2, 0),
                                                                               TEXT.rows("test", 2, 0))
    assert Spelling().score(data.rows("test", 4, 0), data) is not None    # words are those of the text
    assert not hasattr(data, "law") and not hasattr(Blanks(TEXT, lines), "shown")


def test_its_identity_is_what_is_given_and_not_where_it_lies(lines, tmp_path):
    (tmp_path / "again.txt").write_text(LINES.strip())
    (tmp_path / "other.txt").write_text(LINES.replace("king", "song"))
    same, other = (Blanks(TEXT, str(tmp_path / f"{name}.txt")).identity() for name in ("again", "other"))
    assert Blanks(TEXT, lines).identity() == same != other and "other" not in json.dumps(other)


def test_subwords_and_another_sign_of_a_blank(tmp_path):
    (tmp_path / "mine.txt").write_text("The king of ?? was\n")
    text = Prose(length=16)
    row = Blanks(text, str(tmp_path / "mine.txt"), blank="?").prompts(0, 1)[0]
    head, tail = text.encode("The king of "), text.encode(" was")
    assert torch.equal(row[: len(head)], head) and (row[len(head) :][:2] == text.mask).all()
    behind = row[len(head) + 2 :]
    assert torch.equal(behind[: len(tail)], tail) and (behind[len(tail) :] == text.mask).all()


def test_fasta_records_and_molecules(tmp_path, molecules):    # noqa: F811
    (tmp_path / "all.fasta").write_text(">a\nMKTAYIAKQRLLA\n")
    proteins, moses = Fasta(str(tmp_path / "all.fasta"), length=8), molecules
    (tmp_path / "mine.fasta").write_text(">one of two\nMK__\nLL\n>two\nA_\n")
    given = Blanks(proteins, str(tmp_path / "mine.fasta")).prompts(0, 2)
    assert [text.rstrip("_") for text in proteins.decode(given)] == ["MK__LL", "A"]
    (tmp_path / "mine.smi").write_text("CCc1ccc(____)cc1\n")
    row = Blanks(moses, str(tmp_path / "mine.smi")).prompts(0, 1)[0]
    assert (row == moses.mask).sum() == 4 and (row[16:] == moses.shown).all()    # the length is given


@pytest.mark.parametrize("text, says", [
    ("A_b", r"bad.txt, line 1: cannot encode 'A'"),
    ("ab_\n\nHi_W.\n", r"line 3: cannot encode '\.HW': what can be written is small letters a to z and space, with _"),
    ("ab\n\n" + "a" * 25, "line 3: 25 tokens are more than a row has"),
    ("a" * 24, "line 1: there is nothing to write: put _"),
    (">a\n>b\naa_\n", "bad.txt, line 1: the record has no sequence"),
    (" \n", "holds no text"), ("\ufeffa_", "byte-order mark")])
def test_a_bad_file_is_one_sentence_with_its_line(tmp_path, text, says):
    (tmp_path / "bad.txt").write_text(text)
    with pytest.raises(ValueError, match=says):
        Blanks(TEXT, str(tmp_path / "bad.txt")).prompts(0, 1)


def test_other_data_and_signs_are_one_sentence(lines):
    for make, says in ((lambda: Blanks(Exact(), lines), "exact cannot read text"),
                       (lambda: Blanks(TEXT, lines, blank="__"), "is no single sign"),
                       (lambda: Blanks(TEXT, "gone.txt").prompts(0, 1), "there is no file 'gone.txt'"),
                       (lambda: Blanks(TEXT, ".").prompts(0, 1), "'.' is a folder and no file")):
        with pytest.raises(ValueError, match=says):
            make()


def test_the_command_of_the_page_runs(tmp_path):
    (command,) = re.findall(r"^    ssmd-bench (run demo --prompts .*)$", (ROOT / "docs/data.md").read_text(), re.M)
    (tmp_path / "mine.txt").write_text("the king of ____ was born in\n")
    done = call([*command.split(), "--n", "2"], tmp_path)
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])["failed"] == 0, done.stderr


def test_a_run_is_given_them_by_an_option_and_can_be_proven(lines, tmp_path, monkeypatch, capsys):
    words = ["--quiet", "run", "demo", "--n", "4", "--only", "ancestral", "--out", str(tmp_path / "run"), "--no-time"]
    monkeypatch.setattr("sys.argv", ["ssmd-bench", *words, "--prompts", lines])
    assert main() == 0
    store = Store(tmp_path / "run")
    data = WikipediaLeads(length=store.of("counted")[0]["cell"]["data"]["data"]["length"])
    for record in store.of("counted"):
        first, second, *_ = data.decode(torch.from_numpy(store.get("samples", record["key"]).astype("int64")))
        assert first.startswith("the king of ") and first[16:20] == " was" and "_" not in first
        assert second[0] + second[2] == "ab"
    monkeypatch.setattr("harness.records.provenance.tree", lambda *_: "0" * 16)    # as if other sources had made it
    capsys.readouterr()
    assert main(["--quiet", "prove", str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["proven"] == len(store.of("counted"))
    refuses(capsys, ["run", "demo", "--prompts", lines, "--claims"], "leave --prompts or --claims out")
    Path(lines).write_text("a" * 500)
    refuses(capsys, [*words, "--prompts", lines], "line 1: 500 tokens are more than a row has")
