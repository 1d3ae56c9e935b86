"""A matched ratio is the cost of a setting that was run: never read between two, chosen on other rows than those that
report it.
"""

import doctest

import numpy as np
import pytest

from harness.kinds import Scores
from harness.stats import realised
from harness.stats.intervals import Interval, paired_difference
from harness.stats.realised import Setting, Side, choose, excess, matched, over_seeds, report

JUDGE, KL = Side("judge", "lower", 0.02), Side("ngram_kl", "lower", 0.02)


def cell(rng, cost: float, nats: float, kl: float = 0.0, n: int = 2000, noise: float = 0.2, name: str = "") -> Setting:
    ones = np.ones(n)
    columns = {label: value + noise * rng.standard_normal(n) for label, value in (("judge", nats), ("ngram_kl", kl))}
    return Setting(name or f"{cost:g}", cost * ones, {label: Scores(float(x.mean()), x, ones) for label,
                                                      x in columns.items()})


def test_example_holds():
    assert doctest.testmod(realised).failed == 0


def test_the_ratio_is_of_a_setting_that_was_run_and_not_of_one_between_two():
    """A step: W = 32 is worse, W = 16 better. On a line between them the goal lies at 7 passes; no setting has it."""
    rng = np.random.default_rng(0)
    found = matched(cell(rng, 31.5, 2.49), [cell(rng, 5.67, 2.57), cell(rng, 10.16, 2.38)], [JUDGE])
    assert found.setting == "10.16" and found.ratio.value == pytest.approx(31.5 / 10.16)
    assert found.ratio.high == pytest.approx(31.5 / 10.16), "the cheaper one is shown to be worse"


def test_a_cheaper_setting_that_may_do_is_in_the_upper_end_and_not_in_the_value():
    rng = np.random.default_rng(1)
    found = matched(cell(rng, 32, 2.0), [cell(rng, 8, 2.021), cell(rng, 16, 1.9)], [JUDGE])
    assert (found.setting, found.cheaper) == ("16", "8") and (found.ratio.value, found.ratio.high) == (2, 4)


def test_both_sides_of_quality_are_to_be_met():
    rng = np.random.default_rng(2)
    fast = cell(rng, 8, 1.5, kl=0.5)    # likelier, and it has lost its diversity
    assert matched(cell(rng, 32, 2.0), [fast, cell(rng, 16, 1.9)], [JUDGE]).setting == "8"
    assert matched(cell(rng, 32, 2.0), [fast, cell(rng, 16, 1.9)], [JUDGE, KL]).setting == "16"


def test_higher_is_better_where_the_metric_says_so():
    rng = np.random.default_rng(3)
    spelling = Side("judge", "higher", 0.02)
    assert matched(cell(rng, 32, 0.5), [cell(rng, 8, 0.3), cell(rng, 16, 0.6)], [spelling]).setting == "16"
    assert excess(cell(rng, 8, 0.3), cell(rng, 32, 0.5), spelling).value == pytest.approx(0.2, abs=0.02)
    with pytest.raises(ValueError, match="better lower or higher"):
        excess(cell(rng, 1, 0), cell(rng, 1, 0), Side("judge", "match", 0.1))


def test_how_much_worse_a_setting_is_is_the_paired_difference():
    rng = np.random.default_rng(7)
    goal, others = cell(rng, 32, 2.0, n=300), [cell(rng, c, 2.0, n=300) for c in (8, 16)]
    for better, sign in (("lower", 1), ("higher", -1)):
        for s, found in zip(others, realised.excesses(others, goal, Side("judge", better, 0.02))):
            pair = [x.scores["judge"] for x in (s, goal)[::sign]]
            assert found == pytest.approx(paired_difference(*pair, resamples=realised.RESAMPLES), abs=1e-12)


def test_where_nothing_is_not_worse_there_is_no_ratio_and_the_reason_says_on_which_rows():
    rng = np.random.default_rng(4)
    goal, poor = cell(rng, 32, 2.0), cell(rng, 16, 2.5)
    assert "no setting seems no worse" in matched(goal, [poor], [JUDGE]).reason
    assert "did not choose it" in report(goal, [poor], ["16"], [JUDGE]).reason


def test_a_setting_as_good_as_its_luck_on_the_choosing_rows_is_not_reported():
    """Twelve settings that are worse by twice the margin: choosing and reporting on the same rows lets some pass, other
    rows do not.
    """
    rng, same, other = np.random.default_rng(5), 0, 0
    for _ in range(60):
        goal, settings = cell(rng, 32, 2.0, n=400), [cell(rng, c, 2.024, n=400) for c in range(4, 16)]
        same += bool(report(goal, settings, choose(goal, settings, [JUDGE]), [JUDGE]).setting)
        other += bool(matched(goal, settings, [JUDGE]).setting)
    assert same >= 3 * max(other, 1) and other <= 4, (same, other)


def test_what_is_worse_by_the_margin_passes_in_at_most_one_of_forty():
    """The error of the whole is that of one test: 2.5 %, over 400 trials."""
    rng, passed = np.random.default_rng(6), 0
    for _ in range(400):
        passed += bool(report(cell(rng, 32, 2.0, n=200), [cell(rng, c, 2.02, n=200) for c in (8, 12, 16)],
                              ["16", "12", "8"], [JUDGE]).setting)
    assert passed <= 20, passed


def test_seeds_of_training_widen_the_interval():
    first, second = Interval(3.4, 3.3, 3.8, 2048), Interval(3.1, 3.0, 3.2, 512)
    assert over_seeds(first, [second]) == Interval(3.4, 3.0, 3.8, 2048)
