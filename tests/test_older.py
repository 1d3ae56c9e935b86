"""A small run of schema 1, kept as it was written: by shards, united, timed, scored, with a table of its own. It opens
unchanged in meaning.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.records.arrays import row_digests
from harness.records.record import SCHEMA
from harness.records.steps import cell_key, with_order
from harness.records.store import Store
from harness.run import runner
from harness.run.cell import cells_of
from harness.study import load_study

HERE = Path(__file__).parent / "older"


@pytest.fixture
def old(tmp_path) -> Path:
    shutil.unpack_archive(HERE / "schema1.zip", tmp_path / "run")
    return tmp_path / "run"


def raw(folder: Path) -> list[dict]:
    return [json.loads(line) for path in sorted(folder.glob("records*.jsonl"))
            for line in path.read_text().splitlines()]


def test_every_record_is_of_this_schema_and_says_what_it_said(old):
    store, before = Store(old, strict=True), raw(old)
    assert (
        len(store.records) == len(before)
        and {record["schema"] for record in store.records} == {SCHEMA}
        and {record["schema"] for record in before} == {1}
    )
    counted = {record["key"]: record for record in before if record["type"] == "counted"}
    assert len(counted) == 4
    for record in store.of("counted"):
        key = next(k for k, r in counted.items() if r["samples_sha256"] == record["samples_sha256"])
        assert record["key"] == cell_key(record["cell"]) and record["cell"]["sampler"] == with_order(
            counted[key]["cell"]["sampler"]
        )
        assert {k: record[k] for k in ("arm", "status", "cost", "seconds",
                                       "machine")} == {k: counted[key][k]
                                                       for k in ("arm", "status", "cost", "seconds", "machine")}
        assert (record["key"] == key) == (record["arm"] != "fixed"), ("the order that fixed_count left out is in its "
                                                                      "key now")


def test_its_keys_are_those_of_the_study_and_every_array_is_found(old):
    store, study = Store(old), load_study(str(HERE / "toy.py"))
    assert {cell.key() for cell in cells_of(study)} == {record["key"] for record in store.of("counted")}
    for record in store.of("counted"):
        assert store.has("samples", record["key"]) and store.has("costs", record["key"])
    scored = store.of("scored")
    assert len(scored) == 8 and all(store.has("scores", r["score_key"]) for r in scored if r["per"] == "row")
    shas = {r["key"]: r["samples_sha256"] for r in store.of("counted")}
    assert all(r["samples_sha256"] == shas[r["key"]]
               for r in [*scored, *store.of("timed")]) and len(store.of("timed")) == 3
    [table] = store.of("measured")
    assert {*table["cells"]} <= {*shas}
    assert {*store.of("study")[-1]["cells"]} == {*shas}


def test_a_run_goes_on_from_it_and_samples_nothing_that_comes_out_the_same(old):
    study = load_study(str(HERE / "toy.py"))
    before = [(r["label"], r["value"]) for r in Store(old).of("scored")]
    tally = runner.run(study, old, timing=False)
    assert (tally["cached"], tally["proven"], tally["refuted"], tally["done"], tally["scored"]) == (4, 4, 0, 0, 0)
    assert [(r["label"], r["value"]) for r in Store(old).of("scored")] == before


def test_a_cell_that_is_sampled_anew_has_its_arrays_under_its_own_key(old):
    [key] = [r["key"] for r in Store(old).of("counted") if r["arm"] == "fixed"]
    path = next(path for path in (old / "samples").iterdir() if (old / "samples" / f"{key}.npy") != path
                and Store(old).names["samples", key] == path.stem)
    samples = np.load(path)
    np.save(path, samples[::-1])    # damaged
    assert not Store(old).has("samples", key)
    assert runner.run(load_study(str(HERE / "toy.py")), old, timing=False)["done"] == 1
    store = Store(old)
    assert (
        (old / "samples" / f"{key}.npy").exists()
        and (store.get("samples", key) == samples).all()
        and (store.get("rows", key) == row_digests(samples)).all()
    )
