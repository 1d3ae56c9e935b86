"""Small runs of older schemas, kept as they were written: by shards, united, timed, scored, proven, with a table of
their own. They open unchanged in meaning.
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
from harness.run import runner, scoring
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
    assert {*table["cells"]} <= {*shas} and {row[table["columns"].index("key")] for row in table["rows"]} == {
        *table["cells"]}, "rows name their cells by the keys of now"
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


@pytest.fixture
def dilated(tmp_path) -> Path:
    """A run of schema 2, whose dilated orders were samplers around samplers; and a proof of each cell."""
    shutil.unpack_archive(HERE / "schema2.zip", tmp_path / "run")
    return tmp_path / "run"


def test_a_dilated_order_around_a_sampler_is_read_as_an_order_of_it(dilated):
    store, before, study = Store(dilated, strict=True), raw(dilated), load_study(str(HERE / "toy_dilated.py"))
    assert {record["schema"] for record in before} == {2} and {r["schema"] for r in store.records} == {SCHEMA}
    cells = {cell.key(): cell for cell in cells_of(study)}
    counted = {record["key"]: record for record in store.of("counted")}
    assert counted.keys() == cells.keys() and len(cells) == 4 and len(store.renamed) == 3
    assert all(record["cell"]["sampler"] == cells[key].describe()["sampler"] for key, record in counted.items())
    for key in counted:
        assert all(store.has(room, key) for room in ("samples", "costs", "rows", "counts"))
        assert (store.get("rows", key) == row_digests(store.get("samples", key))).all()
    plans = scoring.plans(study.metrics)
    assert {plan.score_key(record) for record in counted.values() for plan in plans} == {record["score_key"] for record
                                                                                         in store.of("scored")}
    assert all(store.has("scores", record["score_key"]) for record in store.of("scored") if record["per"] == "row")
    assert {record["key"] for record in store.of("timed")} == counted.keys()
    assert {(proof["key"], proof["of"]) for proof in store.of("proof")} == {(key, record["samples_sha256"])
                                                                           for key, record in counted.items()}
    (table,) = store.of("measured")
    assert {*table["cells"]} == {key for key, record in counted.items() if record["arm"] == "ssmd_dilated"}
    assert {*store.of("study")[-1]["cells"]} == counted.keys()


def test_a_run_of_schema_2_goes_on_from_it_and_samples_nothing_that_comes_out_the_same(dilated):
    study = load_study(str(HERE / "toy_dilated.py"))
    tally = runner.run(study, dilated, timing=False)
    assert (tally["cached"], tally["proven"], tally["refuted"], tally["done"], tally["scored"]) == (4, 4, 0, 0, 0)
    assert Store(dilated).refresh() is None and len(Store(dilated).of("counted")) == 4


def test_a_line_of_schema_2_that_another_adds_is_read_by_its_key_of_now(dilated):
    path = dilated / "records.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    first = next(k for k, line in enumerate(lines) if '"ssmd_dilated"' in line and '"type":"counted"' in line)
    path.write_text("".join(lines[:first]))
    store = Store(dilated)
    with path.open("a") as file:
        file.writelines(lines[first:])
    store.refresh()
    assert store.records == Store(dilated).records and store.renamed == Store(dilated).renamed


def test_a_cell_of_schema_2_of_which_more_is_learnt_keeps_the_arrays_that_it_has(dilated):
    (record,) = [record for record in Store(dilated).of("counted") if record["arm"] == "ssmd_dilated"]
    store, key = Store(dilated), record["key"]
    costs = store.get("costs", key)
    store.put("counts", key, store.get("counts", key))
    store.append({name: value for name, value in record.items() if name not in ("schema", "time")})
    again = Store(dilated)
    assert (dilated / "counts" / f"{key}.npy").exists() and not (dilated / "costs" / f"{key}.npy").exists()
    assert again.has("counts", key) and (again.get("costs", key) == costs).all() and again.has("samples", key)
