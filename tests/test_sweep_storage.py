"""A journal, a data base or a lock that is not what it should be ends in one sentence with the remedy, and nothing
stored is lost.
"""

import json
import os
import shutil
import socket
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.records.store import Store
from harness.search import worker as sweep_work
from harness.search.storage import Locks, answering, open_storage
from harness.search.worker import Worker, sweep
from harness.spec import ROOT
from reports.frame import chapters
from reports.records import read
from tests.test_sweep import FORK, SMALL, STUDY, keys, slowed

ASKED = replace(SMALL, study=replace(STUDY, n=16), trials=3)
DEEP = "[" * 100_000


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A sweep that is done."""
    folder = tmp_path_factory.mktemp("kept")
    sweep(ASKED, folder)
    return folder


@pytest.fixture
def folder(kept, tmp_path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "run"))


def operation(code: int, **fields) -> str:
    return json.dumps({"op_code": code, "worker_id": "w"} | fields)


BEGUN = {"study_id": 0, "datetime_start": "2026-01-01T00:00:00.000000"}
OURS = BEGUN | {"user_attrs": {"slot": 3, "settings": "ancestral(steps=4)", "look 16": "k"}, "state": 1,
                "values": [1.0, 2.0]}
STEPS = {"distributions": {"steps": json.dumps({"name": "IntDistribution",
                                                "attributes": {"low": 1, "high": 8, "log": False, "step": 1}})},
         "params": {"steps": 4.0}}
FOREIGN = {
    "null": "null", "an empty object": "{}", "a list": "[]", "a text": '"x"', "a number": "7",
    "an unknown operation": operation(999), "a negative operation": operation(-1),
    "no worker": '{"op_code": 1, "study_id": 0}', "an operation without its fields": operation(5),
    "a field of another type": operation(8, trial_id="x", user_attr={}),
    "a state that is none": operation(6, trial_id=0, state=9, values=None),
    "a direction that is none": operation(0, study_name="x", directions=[7]),
    "a date that is none": operation(4, study_id=0, datetime_start="tomorrow"),
    "a distribution that is none": operation(5, trial_id=3, param_name="x", param_value_internal=1.0, distribution="{"),
    "two attributes in one": operation(2, study_id=0, user_attr={"a": 1, "b": 2}),
    "a trial without a slot": operation(4, **BEGUN),
    "a trial whose slot is a text": operation(4, **BEGUN, user_attrs={"slot": "x"}),
    "a trial whose settings are none": operation(4, **BEGUN, user_attrs={"slot": 3, "settings": 5}),
    "a trial without parameters": operation(4, **OURS),
    "a trial that names another cell": operation(4, **OURS, **STEPS),
    "a trial that is done without values": operation(4, **{**OURS, "values": None}, **STEPS),
    "a trial with one value of two": operation(4, **{**OURS, "values": [1.0]}, **STEPS),
    "a trial that is done without a look": operation(4, **{**OURS, "user_attrs": {"slot": 3, "settings": "x"}},
                                                     **STEPS),
    "a look that is none": operation(4, **{**OURS, "user_attrs": {"slot": 3, "settings": "x", "look x": "k"}}, **STEPS),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_journal_with_foreign_lines_is_refused_and_rebuilt_once_it_is_moved_away(name, folder):
    journal, begun = folder / "sweep.journal", [operation(4, **BEGUN | {"user_attrs": {"slot": 3}})]
    with open(journal, "a") as file:
        file.write("\n".join([*(begun if "trial_id\": 3" in FOREIGN[name] else []), FOREIGN[name], ""]))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match="move it away, and the sweep is rebuilt from the records") as refused:
        sweep(ASKED, folder)
    assert "sweep.journal" in str(refused.value) and "\n" not in str(refused.value)
    assert all(path.read_bytes().startswith(content) for path, content in before.items()), "nothing is lost"
    journal.rename(folder / "away")
    assert sweep(ASKED, folder)["trials"] == 3 and keys(folder) == [
        json.loads(line)["key"] for line in (folder / "records.jsonl").read_text().splitlines() if '"counted"' in line
    ]


@pytest.mark.parametrize("line", ["x", DEEP, DEEP + "]" * 100_000, '{"op_code": 4,', "\x00\x01", ""],
                         ids=["text", "deep", "closed", "torn", "bytes", "empty"])
def test_a_line_that_is_no_json_is_skipped(line, folder, kept):
    (folder / "sweep.journal").write_text(line + "\n" + (folder / "sweep.journal").read_text() + line)
    assert sweep(ASKED, folder) == sweep(ASKED, kept)


def test_a_journal_of_another_sweep_is_added_to(folder, kept):
    other = replace(ASKED, seed=5)
    assert sweep(other, folder)["trials"] == 3
    assert sweep(ASKED, folder) == sweep(ASKED, kept)


def test_the_sentence_names_the_line_and_ends_the_command_with_code_2(folder, capsys):
    with open(folder / "sweep.journal", "a") as file:
        file.write("null\n")
    line = (folder / "sweep.journal").read_text().count("\n")
    assert main(["sweep", str(ROOT / "studies/sweep_smoke"), "--n", "32", "--trials", "1", "--out",
                 str(folder)]) == 2
    said = capsys.readouterr().err
    assert (
        f"sweep.journal line {line} is no operation of a sweep" in said
        and said.count("\n") == 1
        and "Traceback" not in said
    )


@pytest.mark.parametrize("name", ["sweep.journal", "sweep.lock"])
def test_a_folder_in_the_place_of_a_file_is_said(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(ValueError,
                       match=f"{name} cannot be (read|opened) .Is a directory.: correct its rights, or move it away"):
        sweep(ASKED, tmp_path)


def test_a_report_of_a_journal_with_trials_of_others_stands(folder):
    with open(folder / "sweep.journal", "a") as file:
        file.write(operation(4, **BEGUN | {"user_attrs": {"settings": "x"}}) + "\n")
    from reports import sweeps
    (chapter,) = chapters(read([folder]))
    assert len(sweeps.of(chapter)[0].trials) == 3


# ---- data bases


def database(path: Path, what: str) -> str:
    """A file that is no list of trials, and its address."""
    if what == "foreign tables":
        with sqlite3.connect(path) as connection:
            connection.execute("create table studies (x int)")
    elif what == "another schema":
        open_storage(f"sqlite:///{path}", path.parent)
        with sqlite3.connect(path) as connection:
            connection.execute("update alembic_version set version_num = 'v2.6.0.a'")
    elif what == "truncated":
        sweep(ASKED, path.parent / "whole", f"sqlite:///{path}")
        path.write_bytes(path.read_bytes()[:9000])
    elif what == "text":
        path.write_text("this is no data base\n" * 400)
    elif what == "a folder":
        path.mkdir()
    return f"sqlite:///{path}" if what != "no folder" else f"sqlite:///{path}/there/x.db"


@pytest.mark.parametrize(("what", "says"), [
    ("foreign tables", "tables of another program"), ("another schema", "tables of another program or version"),
    ("truncated", "damaged"), ("text", "no data base"),
    ("a folder", "cannot be opened: correct its path"), ("no folder", "cannot be opened: correct its path")])
def test_a_file_that_is_no_data_base_of_trials_is_refused(what, says, tmp_path):
    url = database(tmp_path / "x.db", what)
    before = (tmp_path / "x.db").read_bytes() if (tmp_path / "x.db").is_file() else b""
    with pytest.raises(ValueError, match=says) as refused:
        sweep(ASKED, tmp_path / "run", url)
    assert url in str(refused.value) and "\n" not in str(refused.value) and refused.value.__cause__ is None
    assert before == ((tmp_path / "x.db").read_bytes() if (tmp_path / "x.db").is_file()
                      else b"") or what == "foreign tables"
    assert sweep(ASKED, tmp_path / "run", f"sqlite:///{tmp_path}/other.db")["trials"] == 3, "another storage does"


def test_a_data_base_that_cannot_be_written_is_said(tmp_path):
    sweep(replace(ASKED, trials=2), tmp_path / "run", f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(ValueError, match="cannot be written: correct its rights"):
        sweep(ASKED, tmp_path / "run", f"sqlite:///file:{tmp_path}/x.db?mode=ro&uri=true")
    assert sweep(ASKED, tmp_path / "run", f"sqlite:///{tmp_path}/x.db")["trials"] == 3


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite+pysqlite://",
                                 "sqlite:///file:x?mode=memory&uri=true"])
def test_a_data_base_in_memory_is_refused(url, tmp_path):
    with pytest.raises(ValueError,
                       match="in memory, where no other worker and no later command finds it: give sqlite:///FILE"):
        sweep(ASKED, tmp_path, url)


@pytest.mark.parametrize(("url", "says"), [
    ("grpc://me@host:1", "grpc://HOST:PORT"), ("grpc://host", "grpc://HOST:PORT"), ("redis://host", "give sqlite"),
    ("trials.db", "no address: give sqlite:///FILE"),
    ("postgresql://h:port/db", "give sqlite:///FILE"), ("://", "give sqlite:///FILE")])
def test_an_address_of_another_kind_is_refused_with_those_there_are(url, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        sweep(ASKED, tmp_path, url)


def test_a_driver_that_is_missing_is_named_with_what_installs_it(tmp_path, monkeypatch):
    for module in ("psycopg", "grpc"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError,
                       match=r"postgresql://u:\*\*\*@h/x needs psycopg, which is not installed: pip install "
                             r"'ssmd-bench\[cluster\]'"):
        sweep(ASKED, tmp_path, "postgresql://u:p@h/x")


def test_a_server_that_is_not_there_is_said(tmp_path):
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'ssmd-bench[cluster]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"postgresql://me:secret@127.0.0.1:{probe.getsockname()[1]}/x"
    with pytest.raises(ValueError, match="no server answers there: start it, or correct the address") as refused:
        sweep(ASKED, tmp_path, url)
    assert "secret" not in str(refused.value)


def test_a_storage_that_fails_in_the_midst_of_a_sweep_is_said_and_gone_on_with(tmp_path, monkeypatch):
    url, real, told = f"sqlite:///{tmp_path}/x.db", sweep_work.Worker.try_, []

    def broken(self, trial):
        if told:
            os.truncate(tmp_path / "x.db", 100)
        told.append(real(self, trial))

    monkeypatch.setattr(sweep_work.Worker, "try_", broken)
    with pytest.raises(ValueError, match="cannot be opened or used"):
        sweep(ASKED, tmp_path / "run", url)
    monkeypatch.undo()
    stood = keys(tmp_path / "run")
    (tmp_path / "x.db").unlink()
    assert sweep(ASKED, tmp_path / "run", url)["trials"] == 3 and keys(tmp_path / "run")[: len(stood)] == stood


def test_an_error_that_is_no_storage_s_is_not_made_one():
    with pytest.raises(ZeroDivisionError), answering("sqlite:///x.db"):
        1 / 0    # noqa: B018
    with pytest.raises(KeyError), answering(""):
        raise KeyError


# ---- what is gone of a sweep that is done


@pytest.mark.parametrize("url", ["", "sqlite:///{}/x.db"])
def test_a_sweep_whose_locks_were_deleted_goes_on(url, tmp_path):
    url = url.format(tmp_path)
    done = sweep(ASKED, tmp_path / "run", url)
    (tmp_path / "run/sweep.lock").unlink()
    assert sweep(ASKED, tmp_path / "run", url) == done
    if url:
        with pytest.raises(ValueError, match="one of another folder"):
            sweep(ASKED, tmp_path / "other", url)


def test_a_worker_whose_locks_are_deleted_while_it_works_stops(tmp_path):
    with Worker(ASKED, tmp_path) as worker:
        worker.try_(worker.take())
        (tmp_path / "sweep.lock").unlink()
        with pytest.raises(ValueError, match="was deleted while a worker used it: give the same command again"):
            worker.take()
        Locks(tmp_path / "sweep.lock").close()
        with pytest.raises(ValueError, match="was deleted"):
            worker.take()
    assert sweep(ASKED, tmp_path)["trials"] == 3


@pytest.mark.parametrize("gone", ["scores", "costs", "samples", "records.jsonl", "the record of a trial",
                                  "half an array"])
def test_what_is_gone_of_trials_that_are_done_is_made_again(gone, folder, kept):
    path = folder / gone
    if gone == "the record of a trial":
        path = folder / "records.jsonl"
        lines = [line for line in path.read_text().splitlines(True) if keys(kept)[-1] not in line]
        path.write_text("".join(lines))
    elif gone == "half an array":
        for array in (folder / "scores").glob("*.npy"):
            array.write_bytes(array.read_bytes()[: array.stat().st_size // 2])
    else:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for _ in range(2):
        assert sweep(ASKED, folder) == sweep(ASKED, kept)
    for room in ("scores", "costs"):
        assert {p.name: p.read_bytes()
                for p in (folder / room).iterdir()} == {p.name: p.read_bytes() for p in (kept / room).iterdir()}
    assert {r["key"] for r in Store(folder).of("counted")} == set(keys(kept))


def test_two_workers_mend_what_is_gone_once(folder, monkeypatch):
    shutil.rmtree(folder / "samples")
    shutil.rmtree(folder / "costs")
    slowed(monkeypatch, 0.2)
    before = len(keys(folder))
    workers = [FORK.Process(target=sweep, args=(ASKED, folder)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(keys(folder)) == 2 * before, "each cell once more, by one of them"
