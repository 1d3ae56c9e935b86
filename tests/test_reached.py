"""A slow test runs out of its turn when what it imports has changed."""

import subprocess

import pytest

from tests import reached, turns

FILES = {"tests/test_slow.py": "from studies.x import study\n", "studies/__init__.py": "", "studies/x/__init__.py": "",
         "studies/x/study.py": "import studies.y\n", "studies/y.py": "from core import deep\n",
         "core/__init__.py": "", "core/deep.py": "import core.deeper\n", "core/deeper.py": "", "README.md": ""}


@pytest.fixture
def here(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"], ["commit", "-qm", "2", "--allow-empty"]):
        git(tmp_path, *words)
    return tmp_path


def git(folder, *words):
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c", "-c",
                    "commit.gpgsign=false", *words], check=True)


@pytest.mark.parametrize("file, asks", [("tests/test_slow.py", True), ("studies/x/study.py", True),
                                        ("studies/x/__init__.py", True), ("studies/y.py", True),
                                        ("core/deep.py", False), ("core/deeper.py", False), ("README.md", False)])
def test_a_change_asks_for_the_tests_that_import_it(here, file, asks):
    assert reached.asked_for({"tests/test_slow.py"}, here, recent=1) == set()
    (here / file).write_text(FILES[file] + "# changed\n")
    assert bool(reached.asked_for({"tests/test_slow.py"}, here, recent=1)) == asks
    git(here, "commit", "-qam", "changed")
    assert bool(reached.asked_for({"tests/test_slow.py"}, here, recent=1)) == asks
    git(here, "commit", "-qm", "another", "--allow-empty")
    assert not reached.asked_for({"tests/test_slow.py"}, here, recent=1)


def test_without_so_many_commits_nothing_is_asked_for(here):
    (here / "studies/y.py").write_text("\n")
    assert reached.asked_for({"tests/test_slow.py"}, here, recent=9) == set()


def test_the_study_of_growth_is_reached_through_what_it_imports():
    """The change that its test once missed."""
    assert "studies/analysis/script.py" in reached.reached("tests/test_growth_study.py")
    assert all("tests/test_growth_study.py" not in reached.reached(file) for file in turns.seconds()
               if file != "tests/test_growth_study.py")
