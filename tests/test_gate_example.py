"""The example of docs/ci.md is run by the commands of its own workflow files, and its gate closes when the sampler is
broken.
"""

import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.spec import ROOT
from tests import warm

EXAMPLE = ROOT / "docs" / "gate_example"
FILES = (".github/workflows/gate.yml", ".gitlab-ci.yml")


def commands(text: str) -> list[str]:
    return re.findall(r"^\s*(?:- run: |- )?(ssmd-bench .*)$", text, re.M)


def ran(command: str, folder: Path) -> CompletedProcess:
    return warm.run(["-m", "harness", *command.split()[1:]], folder)


@pytest.fixture
def project(tmp_path):
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project"))


def test_both_workflows_and_the_page_give_the_same_commands():
    page = (ROOT / "docs" / "ci.md").read_text()
    given = [commands((EXAMPLE / name).read_text()) for name in FILES]
    assert given[0] == given[1] == commands(page)[:3] and len(given[0]) == 3


def test_the_gate_is_open_for_the_version_that_is_kept_and_closed_for_a_slower_one(project):
    verify, run, compare = commands((project / FILES[0]).read_text())
    for command in (verify, run, compare):
        done = ran(command, project)
        assert done.returncode == 0, done.stderr
    assert "failures=\"0\"" in (project / "gate.xml").read_text() and (project / "gate.md").exists()
    source = project / "confident" / "__init__.py"
    source.write_text(source.read_text().replace("topk(self.tokens,", "topk(max(1, self.tokens - 1),"))
    shutil.rmtree(project / "runs")
    assert ran(run, project).returncode == 0
    done = ran(compare, project)
    assert done.returncode == 1 and "nfe_a" in done.stdout


def test_a_change_that_is_meant_is_accepted_by_one_command(project):
    source = project / "confident" / "__init__.py"
    source.write_text(source.read_text().replace("topk(self.tokens,", "topk(max(1, self.tokens - 1),"))
    _, run, compare = commands((project / FILES[0]).read_text())
    expect = commands((ROOT / "docs" / "ci.md").read_text())[3]
    assert [ran(command, project).returncode for command in (run, compare, expect, compare)] == [0, 1, 0, 0]
    assert "nfe_a 2 before, 4 now" in (project / "CHANGELOG.md").read_text()
