"""`ssmd-bench new` writes files that run as they are."""

import json
import sys

import pytest

from harness import plugins
from harness.__main__ import main
from harness.cli.templates import KINDS
from harness.records.store import Store
from tests.test_cli import refuses


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(plugins, "_extra", [])
    yield tmp_path
    plugins.find.cache_clear()
    for name in ("my_sampler", "my_metric"):
        sys.modules.pop(name, None)


def written(capsys, kind: str) -> list[str]:
    """Writes a file, and gives the command that it says to run."""
    assert main(["new", kind, f"my_{kind}"]) == 0
    out = capsys.readouterr().out
    then = json.loads(out.splitlines()[-1])["then"]
    assert then in out
    return then.split()[1:]


def test_a_study_runs_and_has_a_report(capsys, folder):
    words = written(capsys, "study")
    assert main(["--quiet", *words, "--n", "4"]) == 0
    assert (folder / "runs" / "my_study" / "report" / "index.html").is_file()
    assert len(Store(folder / "runs" / "my_study").of("counted")) == 6
    text = (folder / "my_study.py").read_text()
    assert len([line for line in text.split("STUDY = ")[1].splitlines() if line]) <= 10    # a page can show it


def test_a_sampler_passes_the_test_of_its_law(capsys):
    assert main(written(capsys, "sampler")) == 0
    assert '"passed": 1, "failed": 0' in capsys.readouterr().out


def test_a_metric_scores_what_is_stored(capsys):
    assert main(["--quiet", "run", "smoke", "--n", "4", "--only", "ancestral", "--out", "runs/demo", "--no-time"]) == 0
    capsys.readouterr()
    assert main(["--quiet", *written(capsys, "metric")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["metrics"] == ["my_metric"]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_written_over_or_hidden(capsys, kind, folder):
    (folder / "mine.py").write_text("x = 1\n")
    taken = {"study": "demo", "sampler": "ancestral", "metric": "spelling"}[kind]
    for name, says in (("mine", "mine.py is there already"), (taken, f"there is a {kind} {taken} already"),
                       ("json", "Python has a module json already"), ("My-x", "is no name of a module"),
                       ("class", "class is a word of Python itself")):
        refuses(capsys, ["new", kind, name], says)
    assert (folder / "mine.py").read_text() == "x = 1\n" and [*folder.glob("*")] == [folder / "mine.py"]
