"""Rank correlation against scipy, intervals that hold what they resample, and effects that add up exactly where the
losses do.
"""

import doctest
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from harness.kinds import Scores
from harness.random import Stream, uniform
from harness.stats import agreement
from harness.stats.agreement import AGREED, RANKED, additive, agreed, losses, ranked, ranking, ranks, spearman
from harness.stats.intervals import paired_difference

PAIRS = list(combinations(range(8), 2))


def table(rows: int, columns: int, stream: int) -> np.ndarray:
    return uniform(stream, torch.arange(rows), Stream.DATA, torch.arange(columns)).numpy()


def test_spearman_is_that_of_scipy_with_and_without_ties():
    a, b = table(40, 28, 1), table(40, 28, 2)
    for left, right in ((a, b), (a, a + 0.1 * b), ((a * 4).round(), (b * 4).round())):
        assert spearman(left, right) == pytest.approx([spearmanr(x, y).statistic for x, y in zip(left, right)],
                                                      abs=1e-12)
    assert ranks(np.array([[3.0, 1.0, 3.0]])).tolist() == [[2.5, 1.0, 2.5]]


def test_equal_values_rank_nothing_and_it_is_said():
    flat, rising = np.ones((1, 4)), np.arange(4.0)[None]
    found = spearman(np.concatenate((rising, flat, rising)), np.concatenate((rising, rising, -rising)))
    assert found[[0, 2]] == pytest.approx([1, -1]) and np.isnan(found[1])    # no warning, which would be an error
    assert ranking(found).tolist() == [found[0], found[2]]
    with pytest.raises(ValueError, match="all values of one side are equal, which ranks nothing"):
        ranking(spearman(flat, rising))


def test_losses_are_paired_differences():
    rows = [Scores(0.0, table(60, 1, k)[:, 0] * 9, np.full(60, 4.0)) for k in range(4)]
    found = losses(rows[0], rows[1:], 500)
    for k, other in enumerate(rows[1:]):
        assert found[0, k] == pytest.approx(paired_difference(other, rows[0]).value)
    assert found.shape == (501, 3) and losses(rows[0], [rows[0]], 50) == pytest.approx(np.zeros((51, 1)))


def test_effects_are_exact_where_losses_add_up_and_r_squared_falls_where_they_do_not():
    piece = np.array([0.1, 0.2, 0.5, 0.9, 0.8, 0.4, 0.2, 0.0])
    sums = np.array([[piece[a] + piece[b] for a, b in PAIRS]] * 11)
    found = additive(sums, PAIRS, 8, n=50)
    assert [e.value for e in found.effects] == pytest.approx(piece) and found.r_squared.value == pytest.approx(1)
    assert additive(sums + 0.8 * table(11, 28, 5), PAIRS, 8, n=50).r_squared.value < 0.95


def test_settings_that_all_lose_the_same_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="lose the same, so that parts explain nothing: compare settings that differ"):
        additive(np.ones((3, 28)), PAIRS, 8, n=50)


def test_an_interval_holds_its_value_and_shrinks_with_the_noise():
    truth, spans = np.linspace(0, 1, 28), []
    for noise in (0.05, 1.0):
        measured = truth + noise * (table(401, 28, 7) - 0.5)
        predicted = np.tile(truth, (401, 1))
        found = agreed({"text": predicted}, measured, (measured, predicted), PAIRS, 8, 100)
        rows = {states: span for states, quantity, *span in found if quantity == "spearman"}
        value, low, high = rows["text"]
        assert low <= value <= high <= 1 and rows["two halves of the rows"][0] == pytest.approx(value)
        spans.append(high - low)
    assert spans[0] < 0.1 < spans[1]


def test_tables_have_their_columns():
    measured, predicted = table(51, 28, 1), {"a": table(51, 28, 2), "b": table(51, 28, 3)}
    names = [f"{p}" for p in PAIRS]
    rows = ranked(names, predicted, measured, 40)
    assert (
        len(rows) == 56
        and {len(r) for r in rows} == {len(RANKED)}
        and [r[1] for r in rows] == names * 2
        and all(r[3] < r[4] and r[6] < r[7] for r in rows)
    )
    rows = agreed(predicted, measured, (measured, measured), PAIRS, 8, 40)
    assert {len(r) for r in rows} == {len(AGREED)} and [r[1] for r in rows] == ["spearman"] * 3 + ["r_squared"] + [
        f"piece {k}" for k in range(8)
    ]


def test_examples_in_docstrings_run():
    assert doctest.testmod(agreement).failed == 0
