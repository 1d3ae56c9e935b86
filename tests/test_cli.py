"""The command line as a stranger meets it: bad input ends in one sentence and an exit code, a killed run goes on where
it was.
"""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from harness import plugins
from harness.__main__ import main
from harness.claims import claim as claims
from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig
from harness.records import study_path
from harness.records.store import Store
from harness.spec import ROOT
from tests import warm

STUDY = '''
"""A toy."""
from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Checkpoint, Study, Table, grid

DATA = Exact()
STUDY = Study(name="toy", question=__doc__, data=DATA, nets={{"heavy": {net}}},
              reference="heavy", metrics=[ExactNll()], n={n}, batch=64,
              arms=[Arm("ancestral", grid(Ancestral, steps={steps}), {{"main": "heavy"}})])
'''


def outside(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    return warm.run(["-m", "harness", *words], cwd, os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}, 120)


def refused(done: subprocess.CompletedProcess, says: str) -> None:
    """One sentence on stderr, exit code 2, and no traceback anywhere."""
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ssmd-bench: ") and says in last, done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.fixture
def toy(tmp_path):
    """write(net, n, steps) -> the path of a study file."""

    def write(net: str = "Table(DATA)", n: int = 64, steps: list[int] = [1, 2, 3]) -> str:  # noqa: B006
        (tmp_path / "toy.py").write_text(STUDY.format(net=net, n=n, steps=steps))
        return str(tmp_path / "toy.py")

    return write


def test_a_run_ends_in_one_line_of_json_and_the_next_computes_nothing(toy, tmp_path):
    first = outside("run", toy(), "--out", "run", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout.splitlines()[-1])
    assert document["done"] == 3 and document["scored"] == 3 and first.stderr.count("[count ") == 3
    before = (tmp_path / "run" / "records.jsonl").read_bytes()
    again = json.loads(outside("run", toy(), "--out", "run", cwd=tmp_path).stdout.splitlines()[-1])
    assert again["cached"] == 3 and not any(again[k] for k in ("proven", "refuted", "done", "skipped", "failed",
                                                               "timeout", "scored", "unscored"))
    assert (tmp_path / "run" / "records.jsonl").read_bytes() == before


def made(folder: Path, vocab: int = 27) -> Path:
    """A small checkpoint under the folder."""
    torch.manual_seed(0)
    checkpoint.save(Transformer(TransformerConfig(vocab=vocab, width=16, heads=2, blocks=1)),
                    folder / "net.safetensors", {})
    return folder / "net.safetensors"


def with_header(path: Path, **about: str) -> None:
    save_file({"embed.weight": torch.zeros(2, 2)}, path, metadata=about)


CHECKPOINTS = {
    "absent": (lambda p: p.unlink(), "there is no checkpoint at"),
    "empty": (lambda p: p.write_bytes(b""), "is not a readable safetensors file"),
    "text": (lambda p: p.write_bytes(b"not a checkpoint at all"), "is not a readable safetensors file"),
    "truncated": (lambda p: p.write_bytes(p.read_bytes()[:-500]), "is not a readable safetensors file"),
    "other alphabet": (lambda p: None, "writes 27 symbols and exact has 3"),
    "no header": (lambda p: with_header(p, note="hers"), "holds a network None"),
    "half a header": (lambda p: with_header(p, network="transformer"), "the header of"),
    "torn settings": (lambda p: with_header(p, network="transformer", config='{"voc', card="{}"), "the header of"),
    "unknown settings": (lambda p: with_header(p, network="transformer", config='{"speed": 3}', card="{}"),
                         "the header of"),
    "other tensors": (lambda p: with_header(p, network="transformer", card="{}",
                                            config='{"vocab": 3, "width": 16, "heads": 2, "blocks": 1}'),
                      "do not fit the configuration"),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_bad_checkpoints_are_refused(toy, tmp_path, capsys, case):
    damage, says = CHECKPOINTS[case]
    path = made(tmp_path)
    damage(path)
    refuses(capsys, ["run", toy(net=f'Checkpoint("{path}")'), "--out", str(tmp_path / "run")], says)
    assert not (tmp_path / "run").exists()
    if case != "other alphabet":
        refuses(capsys, ["score", str(path), "--n", "1", "--length", "4"], says)


def test_networks_that_cannot_be_scored_are_refused(tmp_path, capsys):
    refuses(capsys, ["score", str(made(tmp_path, vocab=5)), "--n", "1", "--length", "4"],
            "writes 5 symbols and wikipedia_leads has 27")
    refuses(capsys, ["score", str(ROOT / "ssmd/checkpoints/judge.safetensors"), "--n", "1"], "drafts nothing")
    refuses(capsys, ["train", "light", "--data", "austen", "--length", "8", "--init", str(tmp_path / "net.safetensors"),
                     "--out", str(tmp_path / "out")],
            "do not fit a network of these settings")


def test_a_stranger_meets_one_sentence_and_no_traceback(toy, tmp_path):
    """The same from outside, for one case of each kind."""
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    bad = toy(net=f'Checkpoint("{tmp_path}/torn.safetensors")')
    (tmp_path / "syntax.py").write_text("STUDY = Study(")
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "good.py").write_text(STUDY.format(net="Table(DATA)", n=8, steps=[1]))
    cases = [(["run", bad], "is not a readable safetensors file"), (["run", "nowhere.py"], "there is no study file"),
             (["run", "syntax.py"], "SyntaxError"),
             (["run", "good.py", "--out", "taken"], "choose another with --out"),
             (["run", "good.py", "--out", "taken/run"], "choose another with --out"),
             (["run", "good.py", "--set", "stepz=3"], "has no field 'stepz'"),
             (["verify", "nonsense"], "there is no sampler 'nonsense'")]
    with ThreadPoolExecutor(2) as pool:
        for (_, says), done in zip(cases, pool.map(lambda case: outside(*case[0], cwd=tmp_path), cases)):
            refused(done, says)
    assert (tmp_path / "taken").read_text() == "mine" and not (tmp_path / "runs").exists()


def test_a_sampler_of_ones_own_that_fails_is_named_with_its_place(tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").write_text("""
from dataclasses import dataclass
from typing import ClassVar

@dataclass(frozen=True)
class Broken:
    name: ClassVar[str] = "broken"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)
    def exact(self): return None
    def start(self, nets, rows): return {}
    def step(self, nets, rows): return {}["no"]
""")
    refused(outside("--plugins", "broken", "verify", "broken", cwd=tmp_path),
            "the sampler broken cannot be verified (KeyError: 'no'): correct broken")


def test_a_folder_that_may_only_be_read_is_refused(toy, tmp_path, capsys):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=320k,ro", "tmpfs", str(disk)],
                                      capture_output=True).returncode:
        pytest.skip("a disk that may only be read can only be mounted by root")
    try:
        refuses(capsys, ["run", toy(), "--out", str(disk)], "Read-only file system")
        refuses(capsys, ["run", toy(), "--out", str(disk / "run")], "Read-only file system")
        refuses(capsys, ["train", "light", "--data", "austen", "--length", "8", "--out", str(disk)],
                "Read-only file system")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_the_run_and_keeps_what_was_stored(toy, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=320k", "tmpfs", str(disk)],
                                      capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        refused(outside("run", toy(n=2048, steps=list(range(1, 13))), "--out", str(disk / "run"), cwd=tmp_path),
                "free the disk")
        kept = Store(disk / "run")
        assert kept.torn == 0 and kept.of("counted") and all(kept.has("samples", r["key"]) for r in kept.of("counted"))
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        more = json.loads(outside("run", toy(n=2048, steps=list(range(1, 13))), "--out", str(disk / "run"),
                                  cwd=tmp_path).stdout.splitlines()[-1])
        assert more["cached"] == len(kept.of("counted")) and more["cached"] + more["done"] == 12
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_killed_run_resumes_to_the_same_store(toy, tmp_path):
    study = toy(n=1024, steps=list(range(1, 17)))
    assert outside("run", study, "--out", "whole", cwd=tmp_path).returncode == 0
    words = [sys.executable, "-m", "harness", "run", study, "--out", "killed"]
    running = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               env=os.environ | {"PYTHONPATH": str(ROOT)})
    for _ in range(4):
        running.stderr.readline()    # one line a cell
    time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    found = len(Store(tmp_path / "killed").of("counted"))
    assert 4 <= found < 16
    done = outside("run", study, "--out", "killed", cwd=tmp_path)
    assert json.loads(done.stdout.splitlines()[-1])["cached"] == found, done.stderr
    whole, killed = Store(tmp_path / "whole"), Store(tmp_path / "killed")
    for kind, name in (("counted", "key"), ("scored", "score_key")):
        assert sorted(r[name] for r in whole.of(kind)) == sorted(r[name] for r in killed.of(kind))
    assert {r["key"]: r["samples_sha256"] for r in whole.of("counted")} == {r["key"]: r["samples_sha256"]
                                                                            for r in killed.of("counted")}
    assert {r["score_key"]: r["value"] for r in whole.of("scored")} == {r["score_key"]: r["value"]
                                                                        for r in killed.of("scored")}


def test_a_sampler_that_fails_gives_exit_code_3(tmp_path):
    (tmp_path / "plug.py").write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\n\n\n@dataclass(frozen=True)\nclass Plug:\n  "
        "  name: ClassVar[str] = 'plug'\n"
        "    version: ClassVar[int] = 1\n    needs: ClassVar[tuple] = ('main',)\n\n    def step(self, nets, rows):\n "
        "       raise RuntimeError('pulled')\n")
    (tmp_path / "toy.py").write_text(STUDY.format(net="Table(DATA)", n=8,
                                                  steps=[1]).replace("from baselines.ancestral import Ancestral",
                                                                     "from plug import Plug")
                                     .replace("grid(Ancestral, steps=[1])", "[Plug()]"))
    done = outside("--plugins", "plug", "run", "toy.py", "--out", "run", cwd=tmp_path)
    assert done.returncode == 3 and json.loads(done.stdout.splitlines()[-1])["failed"] == 1, done.stderr
    assert "RuntimeError: pulled" in done.stderr and "Traceback" not in done.stderr


def refuses(capsys, words: list[str], says: str) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("ssmd-bench: ") and says in captured.err and captured.err.count("\n") == 1, (
        captured.err
    )
    assert captured.out == ""


@pytest.mark.parametrize(("words", "says"), [
    (["--set", "nonsense=1"], "has no field 'nonsense'; it has steps (1..4096"),
    (["--set", "steps=0"], "choose 1..4096"),
    (["--set", "steps=many"], "not of type int"), (["--set", "steps"], "must read FIELD=VALUE"),
    (["--set", "schedule=round"], "choose linear | cosine | polynomial"), (["--only", "nobody"],
                                                                           "has no arm 'nobody'; it has ancestral"),
    (["--n", "0"], "at least 1"), (["--jobs", "0"], "at least 1"), (["--device", "abacus"], "no device 'abacus'"),
    (["--plugins", "no_such_package"], "cannot be imported"),
])
def test_wrong_options_are_refused_before_anything_is_written(toy, tmp_path, capsys, words, says):
    refuses(capsys, ["run", toy(), "--out", str(tmp_path / "run"), *words], says)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("text", "says"), [
    ("STUDY = Study(", "SyntaxError"), ("import no_such_module", "no_such_module"), ("x = 1", "defines no STUDY"),
    ("STUDY = 3", "defines no STUDY"), ("\x00", "cannot be read"),
    ("from baselines.ancestral import Ancestral\nAncestral(0)", "choose 1..4096"),
    ("from baselines.ancestral import Nobody", "Nobody"),
    ("raise SystemExit(5)", "cannot be read"),
])
def test_unreadable_study_files_are_refused(tmp_path, capsys, text, says):
    (tmp_path / "bad.py").write_text(text)
    refuses(capsys, ["run", str(tmp_path / "bad.py"), "--out", str(tmp_path / "run")], says)


def test_a_study_that_lies_here_is_named_with_the_end_of_its_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").touch()
    refuses(capsys, ["run", "mine"], "there is no study mine: its file is mine.py, so give that")


@pytest.mark.parametrize(("words", "says"), [
    (["run", "nowhere.py"], "there is no study file nowhere.py"), (["run", str(ROOT)], "is a folder without study.py"),
    (["run", str(ROOT / "README.md")], "is no study file, which is a Python file"),
    (["train", "heavy", "--recipe", str(ROOT / "README.md")], "is no study file"),
    (["verify", "nonsense"], "there is no sampler 'nonsense'; choose ancestral"),
    (["rescore", "nowhere"], "is not a run folder"),
    (["summarise", "nowhere", "--out", "there"], "is not a run folder"),
    (["report", "nowhere", "--out", "x"], "nowhere"), (["train", "nobody"], "no member 'nobody'; choose hybrid"),
    (["train", "light", "--data", "runes"], "no data set 'runes'"), (["train", "light", "--data", "text8"],
                                                                     "needs a value for each of path"),
    (["train", "light", "--data", "markov"], "is not a text"), (["train", "light", "--data", "world"], "is not a text"),
    (["score", "--data", "world"], "symbols and world has"),
    (["run", "demo", "--set", "steps=8.5"], "is not of type int"),
    (["score", "--data", "moses", "--path", "gone"], "gone"), (["train", "light", "--path", "x"], "takes no --path"),
    (["train", "light", "--set", "nets=3"], "has no field 'nets'"), (["train", "light", "--set", "width=0"],
                                                                     "choose 2..65536"),
    (["train", "light", "--set", "blocks=0"], "choose 1..1024"), (["train", "hybrid", "--set", "causal=6"],
                                                                  "leaves no block for the draft"),
    (["train", "light", "--set", "heads=3"], "must be a multiple of"), (["train", "light", "--tokens", "5"],
                                                                        "less than one update"),
    (["train", "light", "--threads", "0"], "at least 1"), (["train", "family", "--jobs", "0"], "at least 1"),
    (["train", "light", "--length", "0"], "at least 1"),
    (["score", "--device", "abacus"], "no device 'abacus'"),
    (["score", "--n", "0"], "at least 1"), (["score", "--window", "round"], "no window 'round'"),
    (["score", "--set", "delta=7"], "choose 0.001..1"),
    (["train", "light", "--data", "text8", "--path", "nowhere"], "there is no file 'nowhere'"),
])
def test_wrong_words_are_refused(capsys, words, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refuses(capsys, words, says)


@pytest.mark.parametrize(("words", "says"), [
    (["rnu", "x.py"], "there is no verb 'rnu'; did you mean 'run'?"),
    (["fly"], "there is no verb 'fly'; choose run, sweep, grid, new"), (["run"], "run needs study"),
    (["run", "x.py", "--sede", "3"], "--sede is no option here; did you mean '--seed'?"),
    (["run", "x.py", "--out"], "--out: expected one argument"),
    (["run", "x.py", "--dry-run"], "--dry-run is an option of train, and none here"),
    (["run", "x.py", ""], "an empty word is no option here"),
    (["run", "x.py", "--dtype", "float3"], "there is no --dtype 'float3'; did you mean 'float32'?"),
])
def test_words_that_nobody_knows_are_one_sentence_with_the_nearest_one(capsys, words, says):
    refuses(capsys, words, says)



def listed(capsys, *words: str) -> tuple[str, dict]:
    assert main([*words]) == 0
    out = capsys.readouterr().out
    return out, json.loads(out.splitlines()[-1])


def test_list_names_everything_a_kind_with_its_settings_and_one_with_all_that_is_known(capsys):
    out, document = listed(capsys, "list")
    assert document["sampler"] == len(plugins.samplers()) and "wikipedia_leads" in out and "steps = 64" not in out
    assert len(out.splitlines()) < 60 and len(out.splitlines()[-1]) < 400
    for words in (("samplers",), ("sampler",)):
        out, document = listed(capsys, "list", *words)
        assert "ancestral" in document["sampler"] and "steps = 64" in out and "studies" not in document
    for words in (("ancestral",), ("samplers", "ancestral")):
        out, document = listed(capsys, "list", *words)
        assert "from baselines.ancestral import Ancestral" in out and "positions first" in out and "R = {l" in out
        assert "N, equal steps in time" in out and document == {"sampler": ["ancestral"]}
    assert "ssmd-bench run demo" in listed(capsys, "list", "study", "demo")[0]
    for words in (("nets", "heavy"), ("heavy",), ("checkpoints", "heavy")):
        out, document = listed(capsys, "list", *words)
        assert 'shipped("heavy")' in out and document == {"checkpoint": ["heavy"]}
    assert {"network", "checkpoint"} == listed(capsys, "list", "nets")[1].keys()


def test_list_with_json_holds_fields_defaults_ranges_and_origin(capsys):
    out, document = listed(capsys, "--json", "list")
    assert out.count("\n") == 1
    assert (
        document["sampler"]["ancestral"]["fields"]["steps"] == "64  1..4096 (log)"
        and "baselines/ancestral.py:" in document["sampler"]["ancestral"]["origin"]
    )
    assert {"wikipedia_leads", "austen", "text8", "exact",
            "markov"} <= set(document["data"]) and {"smoke", "demo"} <= set(document["study"])


@pytest.mark.parametrize("words, says", [
    (["ancestrl"], "there is no kind and no name 'ancestrl'; did you mean 'ancestral'?"),
    (["metrics", "speling"], "there is no metric 'speling'; did you mean 'spelling'?"),
    (["nets", "havy"], "there is no network 'havy'; did you mean 'heavy'?"),
    (["samplers", "ancestral", "x"], "there is no sampler 'x'"), (["a", "b"], "there is no kind and no name 'b'")])
def test_list_of_what_is_not_there_is_one_sentence(capsys, words, says):
    refuses(capsys, ["list", *words], says)


def test_a_study_that_ships_is_found_by_its_name_from_any_folder(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["--quiet", "run", "smoke", "--n", "2", "--only", "ancestral", "--out", "run", "--no-time"]) == 0
    assert Store(Path("run")).of("counted") and study_path.named_in("ssmd-bench --quiet run smoke --out x")
    assert study_path.named_in("ssmd-bench run mine.py --only smoke") is None
    capsys.readouterr()
    refuses(capsys, ["run", "smokee"], "there is no study file smokee; did you mean 'smoke'?")
    (tmp_path / "smoke").mkdir()    # what lies there goes first
    refuses(capsys, ["run", "smoke"], "smoke is a folder without study.py")


def test_doctor_finds_data_and_checkpoints_whole(capsys):
    assert main(["doctor"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["troubles"] == []


def test_doctor_finds_a_damaged_checkpoint(tmp_path, capsys, monkeypatch):
    (tmp_path / "ssmd" / "checkpoints").mkdir(parents=True)
    (tmp_path / "ssmd" / "checkpoints" / "torn.safetensors").write_bytes(b"torn")
    monkeypatch.setattr("harness.spec.ROOT", tmp_path)
    assert main(["doctor"]) == 2
    troubles = json.loads(capsys.readouterr().out.splitlines()[-1])["troubles"]
    assert len(troubles) == 1 and "torn.safetensors is not a readable" in troubles[0]


def written(folder: Path, text: bytes) -> None:
    """As the claims of a study, toy."""
    (folder / "toy").mkdir()
    (folder / "toy" / "claims.json").write_bytes(text)


@pytest.mark.parametrize(("text", "says"), [
    (b"[{", "it is not valid JSON"), (b"", "it is not valid JSON"), (b"\xff\xfe", "it is not valid JSON"),
    (b"[" * 100_000, "it is nested deeper"),
    (b'[{"claim": "\\ud800"}]', "half a character"), (b'[{"n": ' + b"9" * 5000 + b"}]",
                                                      "a number that no float64 can hold"),
    (b'{"claim": "x"}', "is not a list of claims"),
    (b'[{"claim": "x"}]', "is not a list of claims"), (b"[3]", "is not a list of claims"),
    (b"null", "is not a list of claims"),
    (json.dumps([claims.claim("x", 1, 0, 2, "u", 3, "c", []) | {"value": "many"}]).encode(), "is not a list of claims"),
    (json.dumps([claims.claim("x", 1, 0, 2, "u", 3, "c", []) | {"keys": None}]).encode(),
     "is not a list of claims (the field `[0].keys` is wrong"),
    (json.dumps([claims.claim("x", 1, 0, 2, "u", 3, "c", []) | {"n": -1}]).encode(),
     "is not a list of claims (the field `[0].n` is wrong"),
])
def test_damaged_claims_are_refused(tmp_path, capsys, monkeypatch, text, says):
    written(tmp_path, text)
    monkeypatch.setattr(claims.read, "__defaults__", (tmp_path,))
    refuses(capsys, ["claims"], says)


@pytest.mark.parametrize("verb", ["claims", "verify"])
def test_a_table_is_written_between_marks_and_nowhere_else(tmp_path, capsys, monkeypatch, verb):
    monkeypatch.setattr(claims.read, "__defaults__", (tmp_path,))
    words = [verb, *(["any_order"] if verb == "verify" else []), "--write", str(tmp_path / "page.md")]
    assert main(words) == 2 and "page.md cannot be read (No such file" in capsys.readouterr().err
    (tmp_path / "page.md").write_text("no marks")
    assert main(words) == 2 and f"has no <!-- {verb} -->" in capsys.readouterr().err
    assert (tmp_path / "page.md").read_text() == "no marks"
    for content in (b"\xff\xfea", b"caf\xe9 <!-- claims -->"):
        (tmp_path / "page.md").write_bytes(content)
        assert main(words) == 2 and "page.md is not UTF-8 text (byte " in capsys.readouterr().err
        assert (tmp_path / "page.md").read_bytes() == content
    (tmp_path / "page.md").write_text(f"above\n<!-- {verb} -->\nold\n<!-- /{verb} -->\nbelow\n")
    assert main(words) == 0
    text = (tmp_path / "page.md").read_text()
    assert text.startswith("above\n") and text.endswith("below\n") and "old" not in text and "| --- |" in text


def test_pages_are_written_again_all_of_them_or_none(tmp_path, capsys, monkeypatch):
    written(tmp_path, json.dumps([claims.claim("one", 1.0, 0.5, 1.5, "none", 4, "ssmd-bench run one", [])]).encode())
    monkeypatch.setattr(claims.read, "__defaults__", (tmp_path,))
    page, gone = tmp_path / "page.md", tmp_path / "gone.md"
    page.write_text("<!-- claims -->\n| `one` | old |\n<!-- /claims -->\n")
    before = page.read_bytes()
    assert main(["claims", "--refresh", str(page), str(gone)]) == 2 and "gone.md" in capsys.readouterr().err
    assert page.read_bytes() == before
    assert main(["claims", "--refresh", str(page)]) == 0 and page.read_bytes() != before


def test_claims_are_listed_with_those_that_are_not_proven(tmp_path, capsys, monkeypatch):
    one = claims.claim("one", 1.0, 0.5, 1.5, "none", 4, "ssmd-bench run one", [])
    written(tmp_path, json.dumps([one]).encode())
    monkeypatch.setattr(claims.read, "__defaults__", (tmp_path,))
    assert main(["claims"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1]) == {"claims": 1, "proven": [], "unproven": ["one"], "refuted": []}
    assert "unproven: 1 claim, no record of its study is kept: one" in lines


@pytest.mark.parametrize("words", [["list"], ["doctor"], ["claims"]])
def test_the_last_line_of_stdout_is_json(words, tmp_path):
    done = outside(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict) and not done.stderr


def test_rescore_scores_what_is_stored_with_another_metric(toy, tmp_path, capsys):
    assert main(["run", toy(), "--out", str(tmp_path / "run"), "--no-time"]) == 0
    assert main(["rescore", str(tmp_path / "run"), "--metric", "distinct", "--set", "kind=chars", "--set",
                 "order=3"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["scored"] == 3
    (tmp_path / "toy.py").unlink()
    assert main(["rescore", str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["scored"] == 0
    refuses(capsys, ["rescore", str(tmp_path / "run"), "--metric", "nonsense"], "no plug-in 'nonsense'; choose")
    refuses(capsys, ["rescore", str(tmp_path / "run"), "--metric", "speling"], "did you mean 'spelling'?")


def test_set_and_only_change_what_is_run(toy, tmp_path, capsys):
    assert main(["run", toy(), "--out", str(tmp_path / "run"), "--set", "schedule=cosine", "--set", "steps=5", "--only",
                 "ancestral", "--n", "7", "--seed", "3"]) == 0
    cells = [r["cell"] for r in Store(tmp_path / "run").of("counted")]
    assert [(c["sampler"]["steps"], c["sampler"]["schedule"]["name"], c["n"], c["seed"])
            for c in cells] == [(5, "cosine", 7, 3)]


def test_claims_are_chosen_by_their_names_and_the_beginnings_of_names(tmp_path, capsys, monkeypatch):
    written(tmp_path, json.dumps([claims.claim(name, 1.0, 0.5, 1.5, "none", 4, "c", [])
                                  for name in ("bpc.a", "bpc.a.more", "bpc.b", "other")]).encode())
    monkeypatch.setattr(claims.read, "__defaults__", (tmp_path,))
    # a whole name is that claim alone
    for names, found in ((["bpc"], 3), (["bpc.a"], 1), (["bpc.a.", "other"], 2), ([], 4)):
        assert main(["claims", *names]) == 0 and f'"claims": {found}' in capsys.readouterr().out
    refuses(capsys, ["claims", "none"], "no claim begins with none")
