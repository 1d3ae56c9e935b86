"""Every command of ssmd-bench that README and docs/use.md show is run, small, one behind the other in one folder."""

import json
import shlex
from pathlib import Path

import pytest

from harness.spec import ROOT
from ssmd.train.family import FAMILY
from tests.test_readme import COMMANDS, call

SMALLER = {    # what a command is given on top, so that a test can afford it
    "run": ["--n", "16", "--no-time"],
    "sweep": ["--trials", "4"],
    "grid": ["--rows", "2", "--steps", "2", "4"],
    "train": ["--tokens", "4096", "--set", "width=16", "--set", "heads=2", "--length", "16"],
}
QUEUED = ("heavy", "hybrid_frozen")    # a process of its own for each is dear: the queue has a member and its next
RECIPE = f"""
from harness.data.austen import Austen
from ssmd.train import family
DATA, FAMILY = Austen(16), {{name: family.FAMILY[name] for name in {QUEUED}}}
"""
SHOWN = [c for c in COMMANDS if c.startswith("ssmd-bench ") and "--plugins" not in c
         and not c.startswith("ssmd-bench contest ")]    # these two have tests of their own


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("commands")
    (path / "studies").symlink_to(ROOT / "studies")
    (path / "recipe.py").write_text(RECIPE)
    return path


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_works(command, folder):
    words = shlex.split(command)[1:]
    more = SMALLER.get(words[0], []) + ["--recipe", "recipe.py"] * (words[:2] == ["train", "family"])
    done = call([w for w in words if w != "--compile"] + more, folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict)


@pytest.mark.parametrize("name", [name for name in FAMILY if name not in QUEUED])
def test_each_other_member_of_the_family_trains(name, folder):
    """Where the queue has trained what it may begin from."""
    done = call(["train", name, "--data", "austen", *SMALLER["train"]], folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (folder / json.loads(done.stdout.splitlines()[-1])["checkpoint"]).is_file()
