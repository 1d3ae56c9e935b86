"""A trial is compared with all others at once; the comparison of two by two, as it once was made, is the oracle."""

import math

import numpy as np
import pytest

from harness.kinds import Scores
from harness.search.shown import Shown
from harness.stats.paired import difference


def beats(other: list[Scores], seen: list[Scores], lower: list[bool], doubt: float) -> bool:
    gaps = [difference(a, b) if low else difference(b, a) for a, b, low in zip(seen, other, lower)]
    return all(gap >= doubt * error for gap, error in gaps) and any(gap > 0 for gap, _ in gaps)


def scores(rng: np.random.Generator, rows: int, of_set: bool) -> Scores:
    if of_set:
        return Scores(float(rng.normal()))
    numerator, denominator = rng.normal(rng.normal(), 0.3, rows), rng.uniform(1, 2, rows)
    return Scores(float(numerator.sum() / denominator.sum()), numerator, denominator)


@pytest.mark.parametrize("rows", [1, 2, 9])
@pytest.mark.parametrize("of_set", [False, True], ids=["rows", "of a set"])
@pytest.mark.parametrize("lower", [[True], [True, False], [False, True, True]], ids=str)
def test_all_at_once_is_two_by_two(rows, of_set, lower):
    rng, found = np.random.default_rng(0), set()
    for doubt in (0.0, 1.0, 3.0):
        shown, trials = Shown(lower), [[scores(rng, rows, of_set and not k) for k in range(len(lower))]
                                       for _ in range(12)]
        for k, trial in enumerate(trials[:8]):
            shown.add(str(k), trial, beats=k != 3)
        for seen in trials:
            by = {"0", "1", "3", "5", "7", "unknown"}
            wanted = any(beats(trials[int(k)], seen, lower, doubt) for k in by & shown.known - {"3"})
            assert shown.beaten(seen, by, doubt) == wanted
            found.add(wanted)
    assert found == ({False} if of_set or rows == 1 else {False, True})


def test_a_trial_does_not_beat_itself_and_errors_are_those_of_the_paired_difference():
    rng, shown = np.random.default_rng(1), Shown([True])
    one = scores(rng, 20, False)
    shown.add("one", [one], True)
    assert not shown.beaten([one], {"one"}, 0.0)
    worse = Scores(one.value + 1.0, np.asarray(one.numerator) + np.asarray(one.denominator), one.denominator)
    gap, error = difference(worse, one)
    assert error < 1e-12 and math.isclose(gap, 1.0) and shown.beaten([worse], {"one"}, 5.0)
