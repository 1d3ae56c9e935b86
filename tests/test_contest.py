"""`ssmd-bench contest` on a repository of its own: two commits and the working tree, timed in processes; what is made
for that is removed, whatever ends it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import plugins
from harness.__main__ import main
from harness.contest import turns
from harness.run import side as turns_side
from harness.run.trees import Tree, trees
from harness.spec import ROOT

EXAMPLE = ROOT / "docs" / "gate_example"
STUDY, SAMPLER = "study.py", Path("confident/__init__.py")
STEP = "        net = nets[\"main\"]\n"
SLOWER = f"""{STEP}        import time
        until = time.process_time() + 0.01
        while time.process_time() < until:
            pass
"""


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c", *words],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The example of docs/ci.md with one cell, committed twice: `old`, and `new`, whose step takes 10 ms of the CPU
    more. Temporary files have a folder of their own."""
    folder, scratch = (
        Path(shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))),
        tmp_path / "scratch",
    )
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    study = folder / STUDY
    study.write_text(study.read_text().replace("tokens=[1, 2, 4]", "tokens=[4]"))
    git(folder, "init", "-q")
    for tag, text in (("old", STEP), ("new", SLOWER)):
        (folder / SAMPLER).write_text((folder / SAMPLER).read_text().replace(STEP, text))
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", tag)
        git(folder, "tag", tag)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(plugins, "_extra", [])
    yield folder
    sys.modules.pop("confident", None)    # each test has its own
    plugins.find.cache_clear()


def left(project: Path) -> list[str]:
    """What a contest has left behind: files in the temporary place, and worktrees but the first."""
    return [*map(str, (project.parent / "scratch").iterdir()), *git(project, "worktree", "list").splitlines()[1:]]


def contest(capsys, *words: str) -> tuple[int, dict, str]:
    code = main(["--plugins", "confident", "contest", *words])
    captured = capsys.readouterr()
    return code, json.loads(captured.out.splitlines()[-1]) if captured.out else {}, captured.out + captured.err


def test_a_slower_commit_is_found_and_nothing_is_left(project, capsys, monkeypatch):
    monkeypatch.setattr(turns, "BLOCKS", 10_000)    # one four a block
    monkeypatch.setattr(turns, "RESERVE", 10.0)
    code, document, out = contest(capsys, "old", "new", STUDY, "--rows", "4")
    assert code == 1 and document["end"] == "regression" and document["pairs"] == 5, out
    assert (
        document["whole"][document["measure"]]["low"] > 1.5
        and "samples are equal in all 1 cells" in out
        and "regression: NEW takes" in out
    )
    assert document["old"].startswith("OLD (old, ") and 0 <= document["busy"] <= 1 and not left(project)


def test_each_tree_loads_its_own_study_and_sampler_and_a_folder_is_a_tree_as_it_is(project):
    (project / SAMPLER).write_text((project / SAMPLER).read_text().replace("confident\"", "surest\""))
    with trees("old", ".", STUDY) as found:
        assert (
            left(project)
            and found[0].commit == git(project, "rev-parse", "old")
            and found[1].folder == project
            and not found[1].commit
        )
        with turns.pair(found, turns.Plan(plugins=("confident",)).settings()) as (sides, about):
            assert [list(x["cells"]) for x in about] == [
                ["confident: confident(tokens=4)"],
                ["confident: surest(tokens=4)"],
            ]
            assert [Path(x["cells"][cell]["source"]) for x in about for cell in x["cells"]] == [
                tree.folder / SAMPLER for tree in found
            ]
            assert turns.checked(sides, about) == [
                "OLD alone has confident: confident(tokens=4)",
                "NEW alone has confident: surest(tokens=4)",
            ]
    assert not left(project)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ("STUDY = Study(names=3)", "OLD (broken, "),
        ("from confident import Nothing", "cannot load the study: ValueError: the study file"),
        ("STUDY = 3", "defines no STUDY"),
    ],
)
def test_a_tree_whose_study_cannot_be_loaded_is_refused_in_a_sentence(project, capsys, edit, says):
    text = (project / STUDY).read_text()
    (project / STUDY).write_text(f"from harness.study import Study\n{edit}\n")
    git(project, "commit", "-qam", "broken")
    git(project, "tag", "broken")
    (project / STUDY).write_text(text)
    code, _, out = contest(capsys, "broken", ".", STUDY)
    assert code == 2 and out.startswith("ssmd-bench: ") and says in out and out.count("\n") == 1 and not left(project)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere", "."), "OLD is 'nowhere', which is neither a commit of"),
        (("--upload-pack=x", "."), "`ssmd-bench contest --help`"),
        ((".", "new", "--minutes", "0"), "minutes: '0' must be a number above 0"),
        (("old", "new", "--share", "nets"), "--share nets is not there"),
        (("old", "new", "--rows", "0"), "rows: '0' must be a whole number of at least 1"),
    ],
)
def test_wrong_words_are_refused(project, capsys, words, says):
    assert main(["contest", *words[:2], STUDY, *words[2:]]) == 2 and says in capsys.readouterr().err
    assert not left(project)


def test_a_tree_without_the_study_says_so(project, capsys):
    (project / "later.py").write_text((project / STUDY).read_text())
    code, _, out = contest(capsys, "old", ".", "later.py")
    assert code == 2 and "has no later.py: give a study that both trees have" in out and not left(project)


def test_networks_that_git_ignores_are_shared_where_that_is_asked_for(project):
    (project / "nets").mkdir()
    (project / "nets" / "net.safetensors").write_text("weights")
    with trees("old", "new", STUDY, ["nets"]) as found:
        assert [(tree.folder / "nets/net.safetensors").read_text() for tree in found] == ["weights"] * 2
    assert (project / "nets/net.safetensors").read_text() == "weights" and not left(project)


def test_the_trees_go_when_an_error_ends_the_contest(project):
    with pytest.raises(RuntimeError), trees("old", "new", STUDY) as found:
        assert all((tree.folder / STUDY).is_file() for tree in found)
        raise RuntimeError
    assert not left(project)


def test_paths_of_the_repository_become_those_of_the_tree(tmp_path, monkeypatch):
    """A package under src/, imported from the working tree, is that of the tree in its processes; libraries stay."""
    home, folder = tmp_path / "home", tmp_path / "tree"
    monkeypatch.setattr(sys, "path", [str(home / "src"), str(home), "/lib/elsewhere"])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(home), "/lib/elsewhere"]))
    tree = Tree("OLD", "x", folder, "", home, "study.py")
    assert tree.environment()["PYTHONPATH"].split(os.pathsep) == [str(folder / "src"), str(folder), "/lib/elsewhere"]
    assert (
        tree.leak(str(home / "src/planner.py"))
        and not tree.leak(str(folder / "src/planner.py"))
        and not tree.leak("/lib/elsewhere/planner.py")
    )


def sides_of(pid: int) -> list[int]:
    """The processes of a contest that are at work on a tree."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if b"run/side.py" in Path(f"/proc/{child}/cmdline").read_bytes()]
    except OSError:    # one of them has ended just now
        return []


def ended(pid: int) -> bool:
    """Gone, or dead and waiting for a parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_contest_with_its_processes_and_its_trees(project, number):
    words = [sys.executable, "-m", "harness", "--plugins", "confident", "contest", "old", "new", STUDY, "--rows", "4"]
    with open(project.parent / "out", "w+") as out:
        running = subprocess.Popen(words, stdout=out, stderr=out, env=os.environ | {"PYTHONPATH": str(ROOT)})
        until, workers = time.monotonic() + 120, []
        while len(workers) < 2 and time.monotonic() < until and running.poll() is None:
            time.sleep(0.1)
            workers = sides_of(running.pid)
        running.send_signal(number)
        assert running.wait(60) == 128 + number and len(workers) == 2
        out.seek(0)
        said = out.read()
    assert (
        f"stopped by {number.name}" in said
        and json.loads(said.splitlines()[-1])["end"] == "stopped"
        and "Traceback" not in said
    )
    assert not left(project) and all(map(ended, workers))


def test_a_process_that_dies_is_a_sentence(project, capsys):
    (project / SAMPLER).write_text(
        (project / SAMPLER).read_text().replace(STEP, "        import os\n        os.abort()\n")
    )
    code, _, out = contest(capsys, "old", ".", STUDY, "--rows", "4")
    assert code == 2 and "the process of NEW (.) ended, code -6" in out and not left(project)


def test_a_cell_that_raises_in_new_is_a_failed_run(project, capsys):
    (project / SAMPLER).write_text(
        (project / SAMPLER).read_text().replace(STEP, "        raise ValueError('made up')\n")
    )
    code, document, out = contest(capsys, "old", ".", STUDY, "--rows", "4")
    assert (
        code == 3
        and document["failed"] == {"confident: confident(tokens=4)": "ValueError: made up"}
        and "a run failed: 1 cells fail in NEW" in out
    )


def test_a_side_says_what_a_cell_samples_counts_and_takes(project, monkeypatch):
    monkeypatch.setattr("torch.set_num_threads", lambda count: None)
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.syspath_prepend(str(project))
    side, about = turns_side.answer(
        None, {"do": "load", "study": STUDY, "only": [], "plugins": ["confident"], "rows": 4, "device": "cpu"}
    )
    assert about["rows"] == 4 and list(about["cells"]) == ["confident: confident(tokens=4)"]
    cell = next(iter(about["cells"]))
    _, warm = turns_side.answer(side, {"do": "warm", "cell": cell})
    assert warm["calls"] == {"main.draft": 1.0} and len(warm["samples"]) == 64
    _, timed = turns_side.answer(side, {"do": "timed", "cell": cell, "repeats": 3})
    assert 0 < timed["cpu"] and 0 < timed["wall"] and turns_side.answer(side, {"do": "spent"})[1]["cpu"] > 0
    assert "error" in turns_side.answer(side, {"do": "timed", "cell": "none", "repeats": 3})[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="perf_event_open is of Linux")
def test_events_are_counted_where_the_machine_counts_them_and_left_out_where_not(monkeypatch):
    clock = turns_side.counter(turns_side.SOFTWARE, turns_side.TASK_CLOCK)    # needs no hardware: nanoseconds at work
    if clock is None:
        pytest.skip("this kernel lets no process count events")
    begun, until = turns_side.counted(clock), time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert 4e7 < turns_side.counted(clock) - begun < 5e8
    os.close(clock)
    monkeypatch.setattr(turns_side.platform, "machine", lambda: "made_up")
    assert turns_side.counter() is None
