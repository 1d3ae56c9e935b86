"""Cells of an arm at unlike numbers of rows are never mixed."""

import numpy as np
import pytest

from harness.records.points import done, points, rows
from harness.records.store import Store
from tests.compared import cell, score


@pytest.fixture
def store(tmp_path):
    """a: 4 rows twice, 8 rows once, and a failed cell of 16; b: 4 rows; both scored, each score its number of rows."""
    made = Store(tmp_path)
    cells = (
        ("a1", 4, "done", 9.0),
        ("a2", 4, "done", 3.0),
        ("a3", 8, "done", 5.0),
        ("a4", 16, "failed", 0.0),
        ("b1", 4, "done", 2.0),
    )
    for key, n, status, nfe in cells:
        record = cell(arm=key[0], key=key, status=status, cost=dict.fromkeys(("nfe_a", "nfe_b", "nfe_c"), nfe))
        made.append(record | {"cell": record["cell"] | {"n": n}})
        scored, array = score(record, np.full(n, float(n)), "nll", score_key=key)
        made.append(scored)
        made.put("scores", key, array)
        made.put("costs", key, np.full((n, 3), nfe))
    return made


def keys(records):
    return [r["key"] for r in records]


def test_the_largest_number_of_rows_of_the_arm_is_taken(store):
    assert keys(done(store, "a")) == ["a3"] and [len(p.costs) for p in points(store, "a", "nll")] == [8]


def test_another_number_is_had_by_asking_for_it(store):
    assert keys(done(store, "a", 4)) == ["a2", "a1"] and [p.cost for p in points(store, "a", "nll", n=4)] == [3.0, 9.0]
    assert done(store, "a", 5) == [] and points(store, "a", "nll", n=16) == []


def test_arms_to_be_compared_have_one_number_of_rows(store):
    assert (rows(store, "a"), rows(store, "a", "b"), rows(store, "a", "nobody")) == (8, 4, 0)
    assert done(store, "nobody") == []
