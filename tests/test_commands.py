"""Every command of ssmd-bench that README and docs/use.md show is run, small, one behind the other in one folder."""

import json
import shlex
from pathlib import Path

import pytest

from harness.spec import ROOT
from tests.test_readme import COMMANDS, call

SMALLER = {    # what a command is given on top, so that a test can afford it
    "run": ["--n", "16", "--no-time"],
    "sweep": ["--trials", "4"],
    "grid": ["--rows", "2", "--steps", "2", "4"],
    "train": ["--tokens", "4096", "--set", "width=16", "--set", "heads=2", "--length", "16", "--data", "austen"],
}
SHOWN = [c for c in COMMANDS if c.startswith("ssmd-bench ") and "--plugins" not in c
         and not c.startswith("ssmd-bench contest ")]    # these two have tests of their own


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("commands")
    (path / "studies").symlink_to(ROOT / "studies")
    return path


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_works(command, folder):
    words = shlex.split(command)[1:]
    done = call([w for w in words if w != "--compile"] + SMALLER.get(words[0], []), folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict)
