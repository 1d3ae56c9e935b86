"""Tokens per forward on the page are those of the records, and what a record does not hold is not known."""

import json

import numpy as np
import pytest

from baselines.ancestral import Ancestral
from baselines.light_heavy import LightHeavy
from harness.data.exact import Exact
from harness.metrics.law import LawTv
from harness.records import by_row
from harness.records.store import Store
from harness.run.runner import run as run_study
from harness.schedules.window import Open
from harness.study import Arm, Study, Table
from reports.build import build
from reports.forwards import plain, rows
from reports.frame import chapters
from reports.records import read
from reports.tokens import COLUMNS, pairs
from ssmd.sampler import SelfSpeculative

DATA = Exact()
STUDY = Study(name="forwards", question="?", data=DATA, nets={"heavy": Table(DATA), "light": Table(DATA, 0.5)},
              reference="heavy", metrics=[LawTv()], n=96, batch=32,
              arms=[Arm("ancestral", [Ancestral(2)], {"main": "heavy"}),
                    Arm("ssmd", [SelfSpeculative(Open(), 2)], {"main": "heavy"}),
                    Arm("light_heavy", [LightHeavy(2)], {"main": "heavy", "light": "light"})])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("forwards")
    run_study(STUDY, place, timing=False)
    return place


def test_the_numbers_are_ratios_of_sums_of_the_records(folder):
    (chapter,) = chapters(read([folder]))
    store, found = Store(folder), {row["key"]: row for row in plain(chapter)}
    named = {record["arm"]: found[record["key"]] for record in store.of("counted")}
    for record in store.of("counted"):
        known, row = by_row.of(store, record), found[record["key"]]
        every = sum(known[kind].sum() for kind in record["cost"]["calls"])
        assert row["tpf"] == pytest.approx(known["generated"].sum() / known["drafts"].sum())
        assert row["tpf_all"] == pytest.approx(known["generated"].sum() / every)
        assert row["token_forwards"] == pytest.approx(known["tracks"].sum() / 96 / DATA.length)
        assert record["cost"]["forwards"]["kept"] == known["kept"].sum()
        assert np.isnan(row["accept_length"]) == (record["arm"] == "ancestral")
        if record["arm"] != "ancestral":
            assert row["accept_length"] == pytest.approx(known["kept"].sum() / known["tests"].sum())
            assert row["accept_beside"] > row["accept_length"]
    assert named["light_heavy"]["accept_length"] > 0 and named["ssmd"]["tpf"] > named["ssmd"]["tpf_all"]
    assert all(len(row["cells"]) == len(COLUMNS) for row in rows(chapter, "ancestral"))


def test_a_record_of_before_has_two_numbers_and_no_zero(folder, monkeypatch):
    store = Store(folder)
    record = next(r for r in store.of("counted") if r["arm"] == "ssmd")
    short = len(by_row.FIELDS) + len(record["cost"]["calls"])
    get = store.get
    monkeypatch.setattr(store, "get", lambda room, key: get(room, key)[:, :short] if room == "counts" else get(room,
                                                                                                              key))
    assert set(by_row.of(store, record)) == {*by_row.FIELDS, "main.draft", "main.verify"}
    assert set(pairs(store, record)) == {"tpf", "tpf_all"}
    bare = json.loads(json.dumps(record))
    del bare["counts_sha256"]
    assert pairs(store, bare) == {}


def test_the_page_says_each_definition(folder, tmp_path):
    page = build([folder], tmp_path / "report").read_text()
    assert "Tokens per forward" in page and all(c.definition.replace("'", "&#39;") in page for c in COLUMNS)
    numbers = json.loads((tmp_path / "report" / "numbers.json").read_text())["chapters"][0]
    assert {row["key"] for row in numbers["forwards"]} == {record["key"] for record in Store(folder).of("counted")}
    assert (tmp_path / "report" / "figures" / "forwards.pdf").is_file() == ("forwards" in numbers["figures"])
