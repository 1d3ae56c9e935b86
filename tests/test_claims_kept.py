"""Runs whose records are kept in the repository: their claims come out of them again, and name no record that is not there."""

from functools import cache
from importlib import import_module

import pytest

from harness.claims import read
from harness.spec import ROOT
from harness.store import Store

KEPT = sorted(path.stem for path in (ROOT / "studies/runs").glob("*.zip"))
SLOW = ("speed", "planted", "busy_gate")                             # `ssmd-bench claims --rebuild` has them too


@cache
def every() -> list[dict]:
    return read()


def claimed(name: str) -> dict[str, dict]:
    return {row["claim"]: row for row in every() if row["file"] == f"{name}.json"}


@pytest.mark.parametrize("name", KEPT)
def test_claims_name_records_that_are_kept(name):
    store = Store(ROOT / "studies/runs" / f"{name}.zip")
    known = {r["key"] for kind in ("counted", "measured") for r in store.of(kind)}
    assert bool(claimed(name)) == hasattr(import_module(f"studies.{name}"), "claims")    # a grid makes none
    assert all({*row["keys"]} <= known for row in claimed(name).values())


@pytest.mark.parametrize("name", [name for name in KEPT if claimed(name) and name not in SLOW])
def test_claims_come_out_of_the_kept_records_again(name):
    again = {row["claim"]: row for row in import_module(f"studies.{name}").claims(Store(ROOT / "studies/runs" / f"{name}.zip"), "again")}
    assert again.keys() == claimed(name).keys()
    for claim, row in claimed(name).items():
        assert [again[claim][end] for end in ("value", "low", "high")] == pytest.approx([row[end] for end in ("value", "low", "high")]), claim


def test_nothing_that_is_kept_names_a_folder_of_a_machine():
    for name in KEPT:
        for line in Store(ROOT / "studies/runs" / f"{name}.zip").lines():
            assert b'"/' not in line.text, name
