"""A tree that travels: what is tracked stays small, and what left it comes back by one command or says how."""

import hashlib
import json
import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.claims.claim import RESULTS, rows_of
from harness.cli.run import present
from harness.nets import absent, checkpoint, restore
from harness.nets.transformer import Transformer, TransformerConfig
from harness.records.store import Store
from harness.spec import ROOT
from harness.study import Arm, Checkpoint
from studies.ablations import study as ablations
from studies.potts_frontier import study as potts_frontier
from studies.text_frontier import study as text_frontier
from tests.tracked import CHECKPOINTS, LARGEST, MIB, rows, tracked


def git(folder, *words: str) -> str:
    named = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", "-C", str(folder), *named, *words], capture_output=True, text=True,
                          check=True).stdout.strip()


@pytest.fixture(scope="module")
def sizes():
    if not (ROOT / ".git").exists():
        pytest.skip("no clone, so nothing is tracked")
    return tracked()


@pytest.fixture
def left(tmp_path, monkeypatch):
    """A repository that a network left: its entry, and the folder of its networks, are put in place of ours."""
    folder = tmp_path / "ssmd/checkpoints"
    checkpoint.save(Transformer(TransformerConfig(vocab=27, width=16, heads=2, blocks=1)),
                    folder / "toy/heavy.safetensors", {})
    path = folder / "toy/heavy.safetensors"
    content, net = path.read_bytes(), checkpoint.load(path).sha256
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "with")
    about = {"name": "toy/heavy", "sha256": hashlib.sha256(content).hexdigest(), "net": net, "bytes": len(content),
             "train": "ssmd-bench train heavy",
             "blob": git(tmp_path, "rev-parse", f"HEAD:{path.relative_to(tmp_path)}"),
             "commit": git(tmp_path, "rev-parse", "HEAD")}
    git(tmp_path, "rm", "-q", str(path))
    git(tmp_path, "commit", "-qm", "without")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "absent.json").write_text(json.dumps([about]))
    monkeypatch.setattr(absent, "FOLDER", folder)
    monkeypatch.setattr(restore.restore, "__defaults__", (tmp_path,))
    return path, content


def refused(capsys, words: list[str]) -> str:
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.startswith("ssmd-bench: ") and told.count("\n") == 1
    return told


def test_what_is_tracked_is_small(sizes):
    assert sum(size for path, size in sizes.items() if path.startswith("ssmd/checkpoints/")) <= CHECKPOINTS
    assert sum(sizes.values()) <= LARGEST
    (claim,) = rows_of(RESULTS / "tree" / "claims.json")
    assert abs(claim["value"] - sum(sizes.values()) / MIB) < 1, ("count again: `python -m tests.tracked`, then `make "
                                                                 "findings`")


def test_what_left_is_listed_with_its_card_and_is_neither_tracked_nor_offered_to_git(sizes):
    entries = absent.listed()
    names = [str(entry.path.relative_to(ROOT)) for entry in entries]
    assert len({*names}) == len(names) == 36 and not {*names} & {*sizes}
    assert git(ROOT, "check-ignore", *names).splitlines() == names, "a restored file would be tracked again by accident"
    cards = {path.removesuffix(".json") for path in sizes if re.fullmatch(r"ssmd/checkpoints/.*\.json",
                                                                          path)} - {"ssmd/checkpoints/absent"}
    assert cards == {path.removesuffix(".safetensors") for path in (*names, *sizes) if path.endswith(".safetensors")}


@pytest.mark.parametrize("group", ["ablations", "potts", "prose", "protein"])
def test_the_hash_of_what_left_is_the_one_that_kept_records_know(group):
    (kept,) = (ROOT / "studies").glob(f"{group}*/kept.zip")
    known = {record["name"]: record["sha256"] for record in Store(kept).of("network")}
    entries = {entry.name.rpartition("/")[2]: entry.net for entry in absent.listed() if entry.name.rpartition("/")[0]
               == group.removesuffix("ablations")}
    assert len(known.keys() & entries.keys()) >= 3 and all(known[name] == entries[name] for name in known.keys()
                                                           & entries.keys())


def test_the_history_has_the_bytes_of_what_left(sizes):
    entries = absent.listed()
    try:
        found = git(ROOT, "rev-parse", *(f"{entry.commit}:ssmd/checkpoints/{entry.name}.safetensors"
                                         for entry in entries)).splitlines()
    except subprocess.CalledProcessError:
        pytest.skip("a clone without its history")
    assert found == [entry.blob for entry in entries]
    assert [int(git(ROOT, "cat-file", "-s", blob)) for blob in found] == [entry.bytes for entry in entries]


def test_a_network_comes_back_to_the_byte_and_once(left, capsys):
    path, content = left
    assert main(["checkpoints"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said == {"here": [], "absent": ["toy/heavy"], "restored": []} and not path.exists()
    assert main(["checkpoints", "--restore", "toy"]) == 0
    assert path.read_bytes() == content and json.loads(capsys.readouterr().out.splitlines()[-1])["restored"] == [
        "toy/heavy"
    ]
    assert main(["checkpoints", "--restore"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"here": ["toy/heavy"], "absent": [], "restored": []}


def test_what_cannot_come_back_is_one_sentence(left, capsys):
    path, content = left
    told = refused(capsys, ["checkpoints", "--restore", "toy/haevy"])
    assert "did you mean 'toy/heavy'?" in told
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"mine")
    assert "move it away first" in refused(capsys, ["checkpoints", "--restore"]) and path.read_bytes() == b"mine"
    path.unlink()
    listing = absent.FOLDER / "absent.json"
    whole = json.loads(listing.read_text())
    for change, says in (({"sha256": "0" * 64}, "is not toy/heavy by its sha256"),
                         ({"blob": "0" * 40}, "does not hold toy/heavy"), ({"name": "../x"}, "absent.json"),
                         ({"bytes": 0}, "absent.json")):
        listing.write_text(json.dumps([whole[0] | change]))
        assert says in refused(capsys, ["checkpoints", "--restore"]) and not path.exists()


def test_loading_what_left_says_how_it_comes_back(left):
    path, content = left
    with pytest.raises(ValueError, match="--restore toy` .*; `ssmd-bench train heavy` trains another"):
        checkpoint.load(path)
    with pytest.raises(ValueError, match="there is no checkpoint at"):
        checkpoint.load(path.with_name("other.safetensors"))


def test_an_arm_whose_network_left_is_left_out_and_a_study_without_its_reference_refuses(left):
    path, content = left
    gone, here = Checkpoint(str(path)), text_frontier.STUDY.nets["heavy"]
    arms = [text_frontier.STUDY.arms[0], Arm("other", text_frontier.STUDY.arms[0].points, {"main": "gone"}),
            text_frontier.STUDY.arms[-1]]
    study = replace(text_frontier.STUDY, nets={"heavy": here, "gone": gone}, arms=arms)
    found, said = present(study)
    assert [arm.name for arm in found.arms] == ["ancestral", "shuffled"] and [*found.nets] == ["heavy"]
    assert said.startswith("left out for want of a network: other; `ssmd-bench checkpoints --restore toy` takes the "
                           "file from")
    for broken in (replace(study, reference="gone"), replace(study, arms=arms[1:])):
        with pytest.raises(ValueError,
                           match="needs networks that the tree does not hold: `ssmd-bench checkpoints --restore toy`"):
            present(broken)
    mistyped = replace(study, nets={"heavy": here, "gone": Checkpoint("mistyped.safetensors")})
    assert present(mistyped) == (mistyped, ""), "a file of the user's own is missed when it is loaded"


def test_studies_of_what_left_load_and_say_what_they_need(capsys, tmp_path):
    assert {arm.name
            for arm in ablations.STUDY.arms} == {"held_out", *ablations.MEMBERS}, ("whether a file is here does not "
                                                                                   "change a study")
    lacking = [entry.name for entry in absent.listed() if not entry.path.is_file()]
    if "potts/heavy" in lacking:
        told = refused(capsys, ["run", str(ROOT / "studies/potts_frontier"), "--out", str(tmp_path / "run")])
        assert (
            "the study potts_frontier needs networks" in told
            and "checkpoints --restore potts`" in told
            and not (tmp_path / "run").exists()
        )
    if "hybrid_frozen_plain" in lacking:
        told = refused(capsys, ["run", str(ROOT / "studies/text_frontier"), "--out", str(tmp_path / "run"),
                                "--claims"])
        assert "claims are of the whole study" in told and "left out for want of a network: ssmd_frozen_plain;" in told
    assert potts_frontier.STUDY.reference == "heavy"


def test_the_claim_counts_what_is_tracked(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a name").write_bytes(b"x" * MIB)
    (tmp_path / "untracked").write_bytes(b"x" * MIB)
    git(tmp_path, "add", "a name")
    assert tracked(tmp_path) == {"a name": MIB}
    (row,) = rows(tracked(tmp_path))
    assert (row["value"], row["low"], row["high"], row["n"]) == (1, 1, 1, 1)
    with pytest.raises(ValueError, match="no git repository"):
        tracked(tmp_path / "nowhere")


def commands(path: Path) -> list[str]:
    """Those that a card, a list of claims or the list of networks out of the tree holds."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return [row[field] for row in (found if isinstance(found, list) else [found]) for field in ("command", "train")
            if isinstance(row.get(field), str)]


def test_no_command_that_is_kept_names_a_place_of_one_machine():
    """A card of a training keeps its command as it was typed: --out is to be given from the clone."""
    kept = [*(ROOT / "ssmd" / "checkpoints").glob("**/*.json"), *(ROOT / "studies").glob("*/claims.json")]
    found = {path.relative_to(ROOT): words for path in kept
             for words in [[word for line in commands(path) for word in shlex.split(line)
                            if word.partition("=")[2].startswith("/") or word.startswith(("/", "~"))]] if words}
    assert len(kept) > 60 and not found


def test_no_card_names_a_folder_of_one_machine():
    """Nor those of earlier cycles, which a card keeps."""
    cards = sorted((ROOT / "ssmd" / "checkpoints").rglob("*.json"))
    told = {str(card): re.findall(r"[ =](/[\w.-]+/[^\s\"]*)", card.read_text(encoding="utf-8")) for card in cards}
    assert len(cards) > 20 and not {card: paths for card, paths in told.items() if paths}
