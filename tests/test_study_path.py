"""A study is a file or a folder. Where it was one file before, records, commands and older commits still find it."""

import subprocess
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.cli._proving import study_of
from harness.records import study_path
from harness.records.store import Store
from harness.run.trees import trees
from harness.spec import ROOT
from harness.study import load_study

TOY = '''"""Why?"""

from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Study, Table

STUDY = Study(name="toy", question=__doc__, data=Exact(), nets={"heavy": Table(Exact())}, reference="heavy",
              arms=[Arm("ancestral", [Ancestral(2)], {"main": "heavy"})], metrics=[ExactNll()], n=4)
'''


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A study as a folder, where we stand."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "toy").mkdir(parents=True)
    (tmp_path / "mine" / "toy" / "study.py").write_text(TOY)
    return tmp_path / "mine" / "toy"


@pytest.mark.parametrize("word", ["mine/toy", "mine/toy/", "mine/toy/study.py"])
def test_a_study_is_given_as_its_folder_or_its_file(folder, word):
    assert study_path.is_study(word) and study_path.name_of(word) == "toy"
    assert study_path.file_of(word) == Path("mine/toy/study.py") and load_study(word).name == "toy"


def test_two_studies_of_one_file_name_are_two_modules(folder):
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "study.py").write_text(TOY + "\n\nclass Mine:\n    pass\n")
    first, second = (study_path.name_of(study_path.file_of(f"mine/{name}")) for name in ("toy", "other"))
    assert (first, second) == ("toy", "other")


@pytest.mark.parametrize("words", [["run"], ["sweep"], ["prove"], ["grid", "--out", "grids.json"]])
def test_the_old_path_is_answered_by_the_new_one_and_nothing_is_written(folder, capsys, words):
    verb, *options = words
    assert main([verb, "mine/toy.py", *options]) == 2
    assert capsys.readouterr().err == "ssmd-bench: mine/toy.py has moved: give mine/toy\n"
    assert {path.name for path in folder.parent.parent.rglob("*")} == {"mine", "toy", "study.py"}


def test_a_study_that_was_not_run_is_not_proven(folder, capsys):
    assert main(["prove", "mine/toy"]) == 2
    assert "no run of mine/toy is kept in studies, and there is none in runs/toy: run it" in capsys.readouterr().err


def test_a_folder_without_a_study_and_a_path_that_never_was_are_one_sentence(folder, capsys):
    for word, says in (("mine", "mine is a folder without study.py"),
                       ("mine/tyo.py", "there is no study file mine/tyo.py"),
                       ("mine/tyo", "there is no study file mine/tyo")):
        assert main(["run", word]) == 2
        told = capsys.readouterr().err
        assert says in told and told.count("\n") == 1


def test_a_recorded_command_finds_its_study_and_is_shown_as_it_is_given_now(folder):
    before, now = "ssmd-bench run mine/toy.py --only a", "ssmd-bench run mine/toy --only a"
    assert study_path.named_in(before) == study_path.named_in(now) == Path("mine/toy")
    assert study_path.as_now(before) == study_path.as_now(now) == now
    gone = f"ssmd-bench run mine/gone.py --out  'a run' . / .. .py \0.py {'x' * 5000}.py"
    assert study_path.named_in(gone) is None and study_path.as_now(gone) == gone
    (folder.parent / "file.py").write_text(TOY)
    assert study_path.named_in("ssmd-bench run mine/file.py") == Path("mine/file.py")
    assert study_path.as_now("ssmd-bench run mine/file.py") == "ssmd-bench run mine/file.py"


@pytest.mark.parametrize("name", ["window", "window_sweep", "text_frontier"])
def test_a_kept_run_from_before_the_move_finds_its_study(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store(ROOT / "studies" / name / "kept.zip")
    assert f"studies/{name}.py" in store.of("study")[-1]["command"]
    assert study_of(store) == str(ROOT / "studies" / name)


def test_a_tree_of_an_older_commit_has_the_study_where_it_was(folder):
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=me", "-c", "user.email=me@here", *words], check=True,
                       capture_output=True)

    (folder / "study.py").rename("mine/toy.py")
    git("init", "-q")
    git("add", "mine")
    git("commit", "-qm", "one file")
    Path("mine/toy.py").rename(folder / "study.py")
    git("add", "mine")
    git("commit", "-qm", "a folder")
    for given in ("mine/toy", "mine/toy/study.py"):
        with trees("HEAD~1", ".", given) as found:
            assert [tree.study for tree in found] == ["mine/toy.py", "mine/toy/study.py"]
            assert all((tree.folder / tree.study).is_file() for tree in found)
    with pytest.raises(ValueError, match=r"OLD \(HEAD~1.*has no mine/new"):
        (folder.parent / "new").mkdir()
        (folder.parent / "new" / "study.py").write_text(TOY)
        with trees("HEAD~1", ".", "mine/new"):
            pass
