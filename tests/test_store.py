"""The store keeps what it was given: through torn lines, two writers, a full disk and a newer version of itself."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from harness.records import record as records_of
from harness.records.folder import FolderPlace
from harness.records.measured import cached_table
from harness.records.store import Store
from harness.spec import sha256
from tests.compared import cell, rows, score
from tests.pace import paced


def test_what_is_appended_is_read_back(tmp_path):
    store = Store(tmp_path)
    store.append(cell(key="a", value=1.5))
    again = Store(tmp_path)
    assert again.records == store.records
    assert again.records[0]["schema"] == records_of.SCHEMA and again.records[0]["time"].endswith("+00:00")


def test_torn_last_line_is_skipped_counted_and_kept_apart_from_the_next(tmp_path):
    store = Store(tmp_path)
    store.append(cell(key="a"))
    with open(store.path, "ab") as f:
        f.write(b'{"type":"counted","ke')
    torn = Store(tmp_path)
    assert torn.torn == 1 and [r["key"] for r in torn.records] == ["a"]
    torn.append(cell(key="b"))
    healed = Store(tmp_path)
    assert healed.torn == 1 and [r["key"] for r in healed.records] == ["a", "b"]


def test_every_cut_of_the_file_is_read(tmp_path):
    store = Store(tmp_path)
    for key in "abc":
        store.append({"type": "note", "key": key, "text": "é"})
    whole = store.path.read_bytes()
    for stop in range(len(whole)):
        store.path.write_bytes(whole[:stop])
        found = Store(tmp_path)
        assert len(found.records) + found.torn >= whole[:stop].count(b"\n")
        assert [r["key"] for r in found.records] == list("abc")[: len(found.records)]


def test_empty_file_and_binary_noise_are_read(tmp_path):
    (tmp_path / "records.jsonl").write_bytes(b"")
    assert Store(tmp_path).records == []
    (tmp_path / "records.jsonl").write_bytes(b"\x00\xff\xfe\n[1, 2]\n\n")
    noise = Store(tmp_path)
    assert noise.records == [] and noise.torn == 2


def test_files_of_many_writers_are_one_store(tmp_path):
    for writer in ("", "1of2", "2of2"):
        Store(tmp_path, writer).append(cell(key=writer or "whole"))
    assert {r["key"] for r in Store(tmp_path).records} == {"whole", "1of2", "2of2"}


def test_two_writers_of_one_file_lose_nothing(tmp_path):
    def write(name):
        store = Store(tmp_path)
        for k in range(25):
            store.append(cell(key=f"{name}{k}", pad="x" * 9000))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, "ab"))
    found = Store(tmp_path)
    assert found.torn == 0 and len({r["key"] for r in found.records}) == 50


def test_latest_record_of_a_key_wins(tmp_path):
    store = Store(tmp_path)
    for value in (1, 2):
        store.append(cell(key="a", value=value))
    assert store.latest("counted", "key")[("a",)]["value"] == 2


def test_records_of_a_newer_version_are_left_alone(tmp_path):
    (tmp_path / "records.jsonl").write_text(json.dumps({"schema": records_of.SCHEMA + 1, "type": "counted", "key": "a"})
                                            + "\n")
    store = Store(tmp_path)
    assert store.records == [] and store.newer == 1
    store.append(cell(key="b"))
    assert '"key": "a"' in store.path.read_text()


def test_old_records_are_upgraded_one_version_at_a_time(monkeypatch):
    monkeypatch.setattr(records_of, "SCHEMA", 3)
    monkeypatch.setattr(records_of, "STEPS", {1: lambda r: r | {"b": r["a"] + 1}, 2: lambda r: r | {"c": r["b"] + 1}})
    assert records_of.upgrade({"schema": 1, "a": 0}) == {"schema": 3, "a": 0, "b": 1, "c": 2}
    assert records_of.upgrade({"schema": 4}) is None


def test_a_table_of_schema_1_is_known_by_the_keys_that_its_cells_have_now(tmp_path):
    """The order of its sampler was left out then."""
    old = cell(arm="ssmd")
    table = {"type": "measured", "study": "made_up", "name": "curve", "settings": {"size": 2},
             "cells": {old["key"]: old["samples_sha256"]}, "columns": ["a"], "rows": [[7]]}
    table["key"] = sha256([table[name] for name in ("study", "name", "settings", "cells")])[:24]
    lines = [{name: value for name, value in record.items() if name != "made"} | {"schema": 1, "code": "c0de"}
             for record in (old, table)]
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    store = Store(tmp_path)
    (counted,) = store.of("counted")
    assert (
        counted["cell"]["sampler"]["order"] == {"name": "uniform"}
        and store.renamed == {old["key"]: counted["key"]}
        and counted["key"] != old["key"]
    )
    found = cached_table(store, "made_up", "curve", ("a",), lambda: [[8]], [counted], size=2)
    assert (
        found["rows"] == [[7]] and found["cells"] == {counted["key"]: old["samples_sha256"]} and len(store.records) == 2
    )


def test_values_that_are_no_numbers_are_refused(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(ValueError):
        store.append({"type": "scored", "value": float("nan")})
    assert not store.path.exists()


def test_arrays_are_written_whole_and_a_damaged_one_is_known(tmp_path):
    store = Store(tmp_path)
    store.put("samples", "k", np.arange(600, dtype=np.int32).reshape(3, 200))
    assert store.has("samples", "k") and store.get("samples", "k")[2, 199] == 599
    assert [p.name for p in (tmp_path / "samples").iterdir()] == ["k.npy"]
    path = tmp_path / "samples" / "k.npy"
    path.write_bytes(path.read_bytes()[:-100])
    assert not store.has("samples", "k")
    with pytest.raises(ValueError, match="run the study again"):
        store.get("samples", "k")
    with pytest.raises(ValueError, match="missing or damaged"):
        store.get("samples", "other")


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="choose another with --out"):
        Store(tmp_path / "file" / "run")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "samples").write_text("")
    with pytest.raises(ValueError, match="records there are intact"):
        Store(tmp_path / "run").put("samples", "k", np.zeros(3))


def test_a_full_disk_leaves_what_was_stored(small_disk):
    store = Store(small_disk)
    with pytest.raises(ValueError, match="free the disk"):
        for k in range(100):
            store.append(cell(key=str(k), pad="x" * 3000))
    kept = Store(small_disk)
    assert kept.torn == 0 and kept.records == store.records and len(kept.records) > 5
    with pytest.raises(ValueError, match="No space left"):
        store.put("samples", "k", np.zeros(100_000))
    assert not list((small_disk / "samples").iterdir())
    assert Store(small_disk).records == store.records


def test_a_full_disk_keeps_the_array_that_was_to_be_replaced(small_disk):
    store = Store(small_disk)
    store.put("samples", "k", np.arange(1000))
    with pytest.raises(ValueError, match="No space left"):
        store.put("samples", "k", np.zeros(100_000))
    assert (store.get("samples", "k") == np.arange(1000)).all()


def test_a_disk_that_may_only_be_read_is_read_and_one_sentence_when_written(small_disk):
    Store(small_disk).append(cell(key="a"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    store = Store(small_disk)
    with pytest.raises(ValueError, match="Read-only file system.*the 1 records there are intact"):
        store.append(cell(key="b"))
    with pytest.raises(ValueError, match="Read-only file system"):
        store.put("samples", "k", np.zeros(3))
    with pytest.raises(ValueError, match="cannot be made .Read-only.*choose another with --out"):
        Store(small_disk / "run")
    assert [r["key"] for r in Store(small_disk).records] == ["a"]


CUT_HEAD = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (16, 4, }".ljust(117) + b"\n"


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"not an array", b"\x80\x04pickled", CUT_HEAD])
def test_a_file_that_is_no_array_is_one_sentence(tmp_path, content):
    (tmp_path / "costs").mkdir()
    (tmp_path / "costs" / "k.npy").write_bytes(content)
    assert not Store(tmp_path).has("costs", "k")
    with pytest.raises(ValueError, match="k.npy is missing or damaged: run the study again"):
        Store(tmp_path).get("costs", "k")


@pytest.mark.parametrize(("schema", "seconds"), [(records_of.SCHEMA, 1.5), (1, 2.5)])
def test_ten_thousand_records_are_read_in_a_second_or_so_and_older_ones_in_two(tmp_path, schema, seconds):
    tables = {"depth": [12345] * 128, "progress": [1] * 10, "round": [5] * 64}
    cost = {"calls": {"main.draft": 12.5}, "nfe_a": 1.25, "revealed": [[0] * 129] * 10, "tested": tables,
            "passed": tables}
    counted, scored = ({"schema": schema} | ({"code": "c0de"} if schema == 1 else {}) | record
                       for record in (cell(cost=cost), score(cell(), rows())[0]))
    lines = [json.dumps(counted)] + [json.dumps(scored)] * 8    # six metrics and a few timings a cell
    (tmp_path / "records.jsonl").write_text("\n".join(lines * 1112) + "\n")
    with paced() as pace:
        begun = time.process_time()
        store = Store(tmp_path)
        store.latest("counted", "key")
        took = time.process_time() - begun
    print(f"{took:.2f} s where a fixed load takes {pace.slower:.2f} times its time")
    assert len(store.records) >= 10_000 and took < seconds * pace.slower


@pytest.mark.parametrize("array", [None, 3, [1, 2], np.zeros(()), np.array([{}, None], object)])
def test_what_is_no_array_is_refused_with_a_sentence_and_no_file(tmp_path, array):
    store = Store(tmp_path / "run")
    with pytest.raises(ValueError, match="samples/k cannot be stored: .* is no array of numbers"):
        store.put("samples", "k", array)
    assert not list((tmp_path / "run").rglob("*.npy*"))


def note(text: str) -> dict:
    return {"type": "network", "sha256": text, "name": text, "card": {}}


def told_of(store: Store) -> list[str]:
    return [record["name"] for record in store.of("network")]


def test_what_another_writer_adds_is_read_from_where_we_stopped(tmp_path, monkeypatch):
    """Records, records of a kind and the latest of a key are those of a store that is opened anew; only the new bytes
    are read, unless the file is no longer what it was.
    """
    ours, theirs = Store(tmp_path), Store(tmp_path)
    ours.append(note("1"))
    assert not told_of(theirs)
    theirs.refresh()
    whole = []
    monkeypatch.setattr(FolderPlace, "texts", lambda self, texts=FolderPlace.texts: whole.append(1) or texts(self))
    for text in ("2", "3"):
        ours.append(note(text))
        theirs.refresh()
    assert told_of(theirs) == ["1", "2", "3"] and not whole
    theirs.append(note("4"))
    ours.refresh()
    assert told_of(ours) == ["1", "2", "3", "4"] and not whole
    assert ours.latest("network", "name").keys() == Store(tmp_path).latest("network", "name").keys()
    whole.clear()
    ours.names = {("costs", "new"): "old"}    # as of an older schema: whose array it is may have changed
    theirs.append(note("5"))
    ours.refresh()
    assert whole and not ours.names and told_of(ours) == ["1", "2", "3", "4", "5"]
    whole.clear()
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[2:]))    # shorter: all is read
    ours.refresh()
    assert told_of(ours) == ["3", "4", "5"] and whole
    with path.open("ab") as file:
        file.write(b'{"torn')
    theirs.refresh()
    assert told_of(theirs) == ["3", "4", "5"] and theirs.torn == 1
