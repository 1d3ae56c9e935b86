"""A bug planted in a sampler, a network or the draws leaves no claim current that rests on a self-speculative record.

The claims stand while the sources do. With a bug in them they are unproven at once, and refuted as soon as some rows
are looked at.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.claims.standing import standings
from harness.records.pack import pack
from harness.records.store import Store
from harness.run import runner
from harness.run.cell import cells_of
from harness.spec import ROOMS, ROOT
from harness.study import load_study
from tests import warm

STUDY = """
import torch
from pathlib import Path
from baselines.ancestral import Ancestral
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.words import Spelling
from harness.nets import checkpoint
from harness.study import Arm, Checkpoint, Study
from harness.schedules.window import Cosine
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative

FILE = Path(__file__).with_name("toy.safetensors")
if not FILE.exists():
    torch.manual_seed(0)
    net = Hybrid(HybridConfig(vocab=27, width=32, heads=2, blocks=2, causal=1))
    for weights in (p for p in net.parameters() if p.dim() == 2):    # so that drafts are rejected
        torch.nn.init.normal_(weights, std=0.5)
    checkpoint.save(net, FILE, {})
STUDY = Study(name="toy", question="?", data=WikipediaLeads(24), nets={"hybrid": Checkpoint(str(FILE))},
              reference="hybrid", metrics=[Spelling()], n=24, batch=8,
              arms=[Arm("ssmd", [SelfSpeculative(Cosine(0.2), 2)], {"main": "hybrid"}),
                        Arm("ancestral", [Ancestral(4)], {"main": "hybrid"})])
"""
BUGS = {    # file, old text, new text
    "the acceptance test starts one place late": ("ssmd/sampler.py", "torch.minimum(i + f + 1, e)",
                                                  "torch.minimum(i + f + 2, e)"),
    "a track sees the token that it judges": ("ssmd/model.py", "<= asking.clamp_min(0)", "<= 1 + asking.clamp_min(0)"),
    "the residual is drawn from the target alone": ("harness/random.py", "(q - p).clamp_min(0)", "q.clone()"),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A folder with a study, its kept run and its claims, one of each arm."""
    folder = tmp_path_factory.mktemp("current")
    (folder / "toy.py").write_text(STUDY)
    study = load_study(str(folder / "toy.py"))
    runner.run(study, folder / "run", command=f"ssmd-bench run {folder}/toy.py")
    pack(Store(folder / "run"), folder / "kept" / "toy" / "kept.zip")
    keys = {cell.arm.name: cell.key() for cell in cells_of(study)}
    (folder / "claims.json").write_text(json.dumps([{"claim": arm, "keys": [key], "folder": "toy"} for arm,
                                                    key in keys.items()]))
    return folder


def sources(folder: Path) -> Path:
    """A copy of our own."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room,
                        ignore=shutil.ignore_patterns("__pycache__", "checkpoints", "files"))
    (folder / "harness/data/files").symlink_to(ROOT / "harness/data/files")
    return folder


def planted(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy with a bug in it."""
    path = sources(folder) / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return folder


ASK = """
import json, sys
from pathlib import Path
from harness.__main__ import main
from harness.claims.standing import standings

def words():
    rows = json.loads((folder / "claims.json").read_text())
    print(json.dumps({s.claim: s.word for s in standings(rows, folder / "kept")}))

folder = Path(sys.argv[1])
words()
main(["prove", str(folder / "kept/toy/kept.zip")])
words()
"""


def proved(tree: Path, kept: Path) -> tuple[dict, dict, dict]:
    """By the sources of a tree: the standing of each claim, the answer of `prove`, and the standing after it."""
    environment = {"PYTHONPATH": str(tree), "PATH": os.defpath, "OMP_NUM_THREADS": "1"}
    done = warm.run(["-c", ASK, str(kept)], tree, environment)
    assert done.returncode == 0, done.stderr
    return tuple(map(json.loads, done.stdout.splitlines()))    # type: ignore[return-value]


def test_claims_are_current_while_the_sources_are_those_of_their_records(kept):
    assert {s.claim: s.word for s in standings(json.loads((kept / "claims.json").read_text()),
                                               kept / "kept")} == {"ssmd": "proven", "ancestral": "proven"}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_leaves_no_claim_of_a_self_speculative_record_current(kept, tmp_path, bug):
    tree, copy = planted(tmp_path / "tree", *BUGS[bug]), tmp_path / "kept"
    shutil.copytree(kept, copy)
    before, answer, after = proved(tree, copy)
    assert before == {"ssmd": "unproven", "ancestral": "unproven"}
    assert (answer["refuted"], answer["proven"]) == (1, 1) and after == {"ssmd": "refuted", "ancestral": "proven"}
    assert (copy / "kept" / "toy" / "proofs.jsonl").exists() and not (kept / "kept" / "toy" / "proofs.jsonl").exists()


def refactored(tree: Path) -> Path:
    """A module, a parameter and an annotation renamed within reach of every sampler."""
    for path in (path for room in ROOMS for path in (tree / room).rglob("*.py")):
        text = path.read_text()
        text = re.sub(r"\bharness\.sampling\.reveal\b", "harness.sampling.revealing", text)
        path.write_text(text.replace("def width(self, i: Tensor, length: int)",
                                     "def width(self, revealed: Tensor, length: int)"))
    (tree / "harness/sampling/reveal.py").rename(tree / "harness/sampling/revealing.py")
    window = tree / "harness/schedules/window.py"
    text = re.sub(r"(def width\(self, revealed: Tensor.*\n)((?:        .*\n)+)", lambda found: found[1]
                  + re.sub(r"\bi\b", "revealed", found[2]), window.read_text())
    window.write_text(text.replace("def _clip(width: Tensor,", "def _clip(width: torch.Tensor,"))
    return tree


def test_a_refactoring_in_reach_of_every_sampler_is_proven_by_its_rows(kept, tmp_path):
    tree, copy = refactored(sources(tmp_path / "tree")), tmp_path / "kept"
    shutil.copytree(kept, copy)
    before, answer, after = proved(tree, copy)
    assert (
        before == {"ssmd": "unproven", "ancestral": "unproven"}
        and answer["proven"] == 2
        and after == {"ssmd": "proven", "ancestral": "proven"}
    )


AGAINST = """
import json, sys
from pathlib import Path
from harness.records.store import Store
from harness.run.against import settled_by
from harness.run.finished import reads
from harness.run.prove import looks
from harness.run.recorded_cell import cell_of
from harness.study import load_study

study, store = load_study("toy.py"), Store(Path("kept.zip"))
wanted = [(cell_of(record, study), record) for record in store.latest("counted", "key").values()]
records = {record["key"]: record for _, record in wanted}
found = [(look, records[look.key]) for look in looks(wanted, store, [], 4)]
arms = {record["key"]: record["arm"] for _, record in wanted}
if sys.argv[2:]:    # and the same rows as of an arm that the study has not
    found += [(look._replace(key=look.key + "?"), record | {"arm": sys.argv[2]}) for look, record in found]
    arms |= {key + "?": f"{arm} as {sys.argv[2]}" for key, arm in arms.items()}
print(json.dumps({arms[key]: same for key, same in settled_by(sys.argv[1], "toy.py", found, reads(study))}))
"""


def committed(tree: Path) -> str:
    call = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tree)]
    subprocess.run([*call, "add", "-A"], check=True)
    subprocess.run([*call, "commit", "-qm", "x"], check=True)
    return subprocess.run([*call, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def test_an_older_commit_settles_on_this_machine_whether_the_code_or_the_machine_differs(kept, tmp_path):
    tree = sources(tmp_path / "tree")
    for name in ("toy.py", "toy.safetensors", "kept/toy/kept.zip"):
        shutil.copy(kept / name, tree / ("kept.zip" if name.endswith("zip") else name))
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    (tree / ".gitignore").write_text("*.safetensors\n")    # a worktree of the commit has no network of its own
    old = committed(tree)

    def asked(*arm: str) -> dict:
        environment = {"PYTHONPATH": str(tree), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
        done = warm.run(["-c", AGAINST, old, *arm], tree, environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    refactored(tree)
    assert asked() == {"ssmd": True, "ancestral": True}
    file, before, after = BUGS["the acceptance test starts one place late"]
    (tree / file).write_text((tree / file).read_text().replace(before, after))
    assert asked("another") == {"ssmd": False, "ancestral": True, "ssmd as another": None, "ancestral as another": None
                                }, "what a commit does not have is left open"
