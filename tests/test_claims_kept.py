"""Runs whose records are kept in the repository: claims name no record that is not there. That they come out of them
again: tests/test_rebuild.py.
"""

from functools import cache
from importlib import import_module

import pytest

from harness.claims import rebuild
from harness.claims.claim import read
from harness.records.places import is_run, name_of
from harness.records.store import Store

RUNS = {name_of(path): path for path in rebuild.kept_runs() if is_run(path)}


@cache
def every() -> list[dict]:
    return read()


def claimed(name: str) -> dict[str, dict]:
    return {row["claim"]: row for row in every() if row["folder"] == name}


@pytest.mark.parametrize("name", RUNS)
def test_claims_name_records_that_are_kept(name):
    store = Store(RUNS[name])
    known = {r["key"] for kind in ("counted", "measured") for r in store.of(kind)}
    assert bool(claimed(name)) == hasattr(import_module(f"studies.{name}.study"), "claims")    # a grid makes none
    assert all({*row["keys"]} <= known for row in claimed(name).values())


@pytest.mark.parametrize("name", RUNS)
def test_nothing_that_is_kept_names_a_folder_of_a_machine(name):
    for line in Store(RUNS[name]).lines():
        assert b'"/' not in line.text, line
