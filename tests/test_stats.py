"""Statistics: intervals that cover what they claim, closed forms, and comparisons that refuse to guess."""

import doctest
import math

import numpy as np
import pytest
import scipy.stats
import torch

from harness.data.exact import Exact
from harness.kinds import Scores
from harness.metrics.distinct import Distinct
from harness.stats import frontier
from harness.stats import intervals as stats
from harness.stats.frontier import (
    Point,
    hypervolume,
    hypervolume_interval,
    matched_curve,
    matched_ratio,
    pareto,
    rising,
)
from harness.stats.intervals import (
    equivalent,
    holm,
    paired_difference,
    paired_p,
    ratio_interval,
    set_interval,
    tail_share,
    time_ratio,
    unpaired_difference,
)


def scores(numerator, denominator=None):
    numerator = np.asarray(numerator, np.float64)
    denominator = np.ones(len(numerator)) if denominator is None else np.asarray(denominator, np.float64)
    return Scores(numerator.sum() / denominator.sum(), numerator, denominator)


def flat_point(cost, value, n=4):
    return Point(cost, scores(np.full(n, value)), np.full(n, float(cost)))


def line(points):
    return [flat_point(cost, value) for cost, value in points]


STUDIES = 2000    # simulated; the share covered has a standard error of 0.5 %


def ratio(rng, n=64):
    words = rng.integers(1, 20, n)
    # rows differ: pooled words are not independent
    found = ratio_interval(rng.binomial(words, rng.beta(8, 2, n)), words, resamples=800)
    return found, 0.8


def paired(rng, n=64):
    row = rng.normal(0, 3, n)
    return paired_difference(scores(row + rng.normal(0.3, 1, n)), scores(row + rng.normal(0, 1, n)), resamples=800), 0.3


def unpaired(rng, n=64):
    return unpaired_difference(scores(rng.normal(0.3, 1, n)), scores(rng.normal(0, 2, 2 * n)), resamples=800), 0.3


def of_a_set(rng, n=64):
    rows = torch.from_numpy(rng.normal(5, 2, (n, 1)))
    return set_interval(lambda x: x.square().sum().item() / n, rows, resamples=200), 29.0


def times(rng, n=5):
    """Processes differ by 3 %, at times by more; repetitions by 1 %."""
    a, b = np.exp(rng.normal(0, 0.03, (2, n, 1)) + rng.exponential(0.01, (2, n, 1)) + rng.normal(0, 0.01, (2, n, 3)))
    return time_ratio((1.5 * a).tolist(), b.tolist()), 1.5


def fronts(rng, n=64, dear=(200, 210, 220.5)):
    """Two fronts, the second at half the cost. The settings are close enough for something to be read between them."""
    row = rng.normal(0, 0.5, n)
    return [list(noisy(costs, (3.0, 2.0, 1.0), n, rng, row)) for costs in (dear, np.divide(dear, 2))]


def matched(rng):
    return matched_ratio(*fronts(rng), 1.5, "lower", resamples=800).interval, 2.0


def volume(rng):
    truth = hypervolume([4, 16, 64], [3.0, 2.0, 1.0], (1000, 4.0), "lower")
    return hypervolume_interval(fronts(rng, dear=(8, 32, 128))[1], (1000, 4.0), "lower", resamples=800), truth


@pytest.mark.parametrize("simulated", [ratio, paired, unpaired, of_a_set, times, matched, volume])
def test_95_percent_intervals_cover_the_truth_in_93_to_97_percent_of_studies(simulated):
    rng, hits = np.random.default_rng(20), 0
    for _ in range(STUDIES):
        found, truth = simulated(rng)
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / STUDIES <= 0.97


def test_equivalence_is_claimed_of_arms_at_the_margin_in_5_percent_of_studies():
    rng = np.random.default_rng(21)
    found = {shift: sum(equivalent(paired_difference(scores(rng.normal(shift, 1, 64)), scores(np.zeros(64)),
                                                     resamples=800, level=0.9), 0.5) for _ in range(STUDIES)) / STUDIES
             for shift in (0.5, 0.0)}
    assert found[0.5] <= 0.065
    assert found[0.0] == pytest.approx(2 * scipy.stats.norm.cdf(0.5 * 8 - 1.645) - 1, abs=0.02)


@pytest.mark.parametrize("module", [stats, frontier])
def test_examples_in_the_docstrings_are_true(module):
    assert doctest.testmod(module).failed == 0


# resamples

@pytest.mark.parametrize("n", [2, 5, 64, 100, 1023])
def test_resamples_take_n_rows_each_row_as_often_as_any_other(n):
    counts = stats._multiplicities(n, 2000, 3, 0)
    assert counts.shape == (2000, n) and (counts.sum(1) == n).all()
    deviation = (counts.sum(0, dtype=np.int64) - 2000) / math.sqrt(2000 * (1 - 1 / n))
    assert abs(deviation).max() < 4.5
    assert counts.var() == pytest.approx(1 - 1 / n, rel=0.1)


def test_resamples_of_a_few_rows_are_multinomial():
    found, times = np.unique(stats._multiplicities(3, 20_000, 0, 0), axis=0, return_counts=True)
    expected = scipy.stats.multinomial(3, [1 / 3] * 3).pmf(found) * 20_000
    assert scipy.stats.chisquare(times, expected * times.sum() / expected.sum()).pvalue > 1e-4


def test_more_resamples_begin_with_the_same_ones_and_lanes_differ():
    first, more, other = (
        stats._multiplicities(50, 10, 0, 0),
        stats._multiplicities(50, 400, 0, 0),
        stats._multiplicities(50, 10, 0, 1),
    )
    assert (first == more[:10]).all() and (first != other).any()


def test_sums_are_those_of_the_rows_and_then_of_the_resamples():
    columns = np.arange(12.0).reshape(6, 2)
    sums = stats.resampled_sums(columns, 7, seed=1)
    assert (sums[0] == columns.sum(0)).all()
    assert sums[1:] == pytest.approx(stats._multiplicities(6, 7, 1, 0) @ columns)


# intervals

def test_tails_are_those_of_students_law():
    for n in (5, 6, 10, 100):
        expected = scipy.stats.norm.cdf(-math.sqrt(n / (n - 1)) * scipy.stats.t.ppf(0.975, n - 1))
        assert tail_share(0.95, n) == pytest.approx(expected, rel=0.01)
    assert tail_share(0.90, 10**6) == pytest.approx(0.05, rel=1e-4)


def test_interval_of_a_mean_is_the_normal_one_for_many_rows():
    x = np.random.default_rng(0).normal(3, 2, 1000)
    found = ratio_interval(x, np.ones(1000))
    half = 1.96 * x.std(ddof=1) / math.sqrt(1000)
    assert found.value == pytest.approx(x.mean()) and found.n == 1000
    assert (found.low, found.high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.1 * half)


def test_interval_of_a_ratio_of_sums_agrees_with_scipy():
    rng = np.random.default_rng(1)
    words = rng.integers(1, 12, 200)
    right = rng.binomial(words, 0.8)
    found = ratio_interval(right, words, resamples=5000)
    other = scipy.stats.bootstrap((right, words), lambda a, b: a.sum() / b.sum(), paired=True, vectorized=False,
                                  n_resamples=2000,
                                  method="percentile", rng=2).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(other), abs=0.003)


def test_pairs_remove_what_rows_have_in_common():
    rng = np.random.default_rng(2)
    row = rng.normal(0, 5, 400)
    a, b = scores(row + rng.normal(0.1, 0.2, 400)), scores(row)
    paired, unpaired = paired_difference(a, b), unpaired_difference(a, b)
    assert paired.value == unpaired.value == pytest.approx(a.value - b.value)
    assert paired.low > 0 and unpaired.low < 0 < unpaired.high
    assert unpaired.high - unpaired.low > 10 * (paired.high - paired.low)


def test_unpaired_difference_takes_sides_of_unlike_size():
    rng = np.random.default_rng(3)
    found = unpaired_difference(scores(rng.normal(1, 1, 900)), scores(rng.normal(0, 1, 300)))
    half = 1.96 * math.sqrt(1 / 900 + 1 / 300)
    assert found.n == 300 and found.high - found.low == pytest.approx(2 * half, rel=0.12)


def test_an_arm_does_not_differ_from_itself():
    a = scores(np.arange(20.0))
    assert paired_difference(a, a)[:3] == (0, 0, 0)
    assert paired_p(a, a) == 1


def test_p_value_is_that_of_the_paired_t_test_for_many_rows():
    a = np.random.default_rng(4).normal(0.09, 1, 500)
    assert paired_p(scores(a), scores(np.zeros(500))) == pytest.approx(scipy.stats.ttest_1samp(a, 0).pvalue, abs=0.01)


def test_rows_that_do_not_fit_are_refused():
    a = scores(np.ones(5))
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_difference(a, scores(np.ones(6)))
    with pytest.raises(ValueError, match="at least 2 rows"):
        ratio_interval([1], [1])
    with pytest.raises(ValueError, match="set_interval"):
        paired_difference(Scores(0.5), Scores(0.5))
    with pytest.raises(ValueError, match="failed"):
        ratio_interval([1, math.nan], [1, 1])
    with pytest.raises(ValueError, match="not finite"):
        ratio_interval([1, 0, 0], [1, 0, 0])


def test_set_metrics_are_recomputed_and_their_interval_holds_the_value():
    data, metric = Exact(), Distinct("chars", 4)
    rows = data.rows("test", 200, seed=0)
    found = set_interval(lambda x: metric.score(x, data).value, rows, resamples=100)
    assert found.low < found.value < found.high and found.value == metric.score(rows, data).value
    same = set_interval(lambda a, b: metric.score(a, data).value - metric.score(b, data).value, rows, rows,
                        resamples=20)
    assert same[:3] == (0, 0, 0)
    with pytest.raises(ValueError, match="unlike numbers of rows"):
        set_interval(lambda a, b: 0.0, rows, rows[:5])


def test_set_interval_of_a_mean_is_the_interval_of_the_mean():
    x = torch.arange(60)[:, None]
    found = set_interval(lambda rows: rows.double().mean().item(), x, resamples=2000)
    assert found[:3] == pytest.approx(ratio_interval(x[:, 0], np.ones(60), resamples=2000)[:3], abs=0.6)


# verdicts

def test_equivalence_needs_an_interval_within_the_margin():
    noise = np.random.default_rng(5).normal(0, 1, 400)
    difference = paired_difference(scores(noise - noise.mean()), scores(np.zeros(400)), level=0.90)
    half = 1.645 / 20
    assert equivalent(difference, 1.15 * half) and not equivalent(difference, 0.85 * half)
    with pytest.raises(ValueError, match="0.90 or more"):
        equivalent(difference._replace(level=0.5), 1)


def test_a_difference_without_data_is_not_equivalence():
    rng = np.random.default_rng(6)
    assert not equivalent(paired_difference(scores(rng.normal(0, 1, 8)), scores(np.zeros(8)), level=0.9), margin=0.1)


def test_holm_rejects_what_the_steps_down_reject():
    """The definition, step by step: the smallest of m at 5 % / m, the next at 5 % / (m - 1), until one stands."""
    rng = np.random.default_rng(22)
    for _ in range(200):
        p = rng.uniform(0, 1, rng.integers(1, 9)) ** 4
        rejected = set()
        for step, k in enumerate(p.argsort()):
            if p[k] > 0.05 / (len(p) - step):
                break
            rejected.add(int(k))
        assert {k for k, adjusted in enumerate(holm(p)) if adjusted <= 0.05} == rejected


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1] and holm([]) == []
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, math.nan])


# time

def test_ratio_of_times_is_that_of_paired_process_medians():
    b = [[1.0, 1.1, 9.0], [2.0, 2.0, 2.0], [0.5, 0.4, 0.6], [1.0, 1.0], [3.0]]
    found = time_ratio([[2 * t for t in process] for process in b], b)
    assert found[:4] == pytest.approx((2, 2, 2, 5))


def test_ratio_of_times_refuses_too_few_processes_and_broken_ones():
    with pytest.raises(ValueError, match="5 pairs of processes"):
        time_ratio([[1.0]] * 4, [[1.0]] * 4)
    for broken in ([], [0.0], [math.nan]):
        with pytest.raises(ValueError, match="every process"):
            time_ratio([[1.0]] * 4 + [broken], [[1.0]] * 5)


def test_interval_of_a_ratio_of_times_is_students_of_the_logarithms():
    rng = np.random.default_rng(12)
    a, b = np.exp(rng.normal(0, 0.1, (2, 6, 1)))
    paired = scipy.stats.ttest_rel(np.log(a[:, 0]), np.log(b[:, 0])).confidence_interval(0.95)
    found = time_ratio(a.tolist(), b.tolist())
    assert (found.low, found.high) == pytest.approx(tuple(np.exp(paired)), rel=1e-4)
    assert found.value == pytest.approx(math.exp(np.log(a / b).mean()))


@pytest.mark.parametrize(("v", "level"), [(3, 0.95), (4, 0.95), (4, 0.9), (9, 0.99), (100, 0.95)])
def test_quantiles_of_student_are_those_of_scipy(v, level):
    assert stats._student(level, v) == pytest.approx(scipy.stats.t.ppf(0.5 + level / 2, v), rel=0.01)


def test_a_machine_compared_with_itself_seldom_raises_the_alarm():
    rng = np.random.default_rng(7)
    times = np.exp(rng.normal(0, 0.03, (2000, 2, 5, 1)) + rng.normal(0, 0.01, (2000, 2, 5, 7)))
    assert sum(time_ratio(*study.tolist()).low > 1.05 for study in times) <= 10


# frontiers

def cost_at(points, quality, better):
    """What a front costs at a quality, read by hand: None where it is not reached or lies below the cheapest point.
    Lines of any length.
    """
    up = 1 if better == "higher" else -1
    front = sorted((p.cost, up * p.scores.value) for p in points)
    best, last = -math.inf, None
    for cost, value in front:
        if value >= up * quality - 1e-12:
            if last is None:
                return cost if value <= up * quality + 1e-12 else None
            share = (up * quality - best) / (value - best)
            return math.exp((1 - share) * math.log(last) + share * math.log(cost))
        best, last = max(best, value), cost
    return None


def test_cost_at_a_quality_is_read_in_the_logarithm():
    points = line([(108, 0.9), (100, 0.5), (95, 0.1)])
    # the last bit of a sum decides nothing
    for quality, cost in ((0.7, (100 * 108) ** 0.5), (0.1, 95), (0.9, 108), (0.9 + 1e-15, 108)):
        found = matched_ratio(points, points, quality, "higher", resamples=10)
        assert (
            found.baseline_cost == found.arm_cost == pytest.approx(cost)
            and found.interval.value == 1
            and cost == pytest.approx(cost_at(points, quality, "higher"))
        )


def test_nothing_is_extrapolated_at_either_end():
    points = line([(100, 0.1), (108, 0.5)])
    for quality, reason in ((0.51, "does not reach this quality"), (0.09, "is better at its cheapest point")):
        found = matched_ratio(points, points, quality, "higher", resamples=10)
        assert found.interval is None and found.arm_cost is None and found.reason == f"the baseline {reason}"


def test_the_running_best_makes_a_frontier_monotone():
    points = line([(100, 3.0), (105, 2.0), (110, 2.5), (115, 1.0)])
    for quality, cost in ((2.0, 105), (1.5, (110 * 115) ** 0.5)):    # from the end of the flat stretch
        assert matched_ratio(points, points, quality, "lower", resamples=10).arm_cost == pytest.approx(cost)


@pytest.mark.parametrize(("coarse", "name"), [(0, "baseline"), (1, "arm")])
def test_nothing_is_read_between_settings_further_apart_than_ten_percent(coarse, name):
    """The windows of a dilated order: the line promises a cost that no setting has."""
    fronts = [line([(32, 2.3), (34, 2.2)]), line([(8, 2.3), (8.5, 2.2)])]
    fronts[coarse] = line([(5.67, 2.566), (10.16, 2.178)])
    found = matched_ratio(*fronts, 2.25, "lower", resamples=10)
    assert found.interval is None and found.reason == (f"the {name} is read between settings at 5.67 and 10.2, further "
                                                       "apart than 10 %")
    curve = matched_curve(*(rising(points, "lower", resamples=10) for points in fronts), [2.25])
    assert curve == [found]


def test_a_setting_that_was_run_is_no_line_however_far_the_next_one_lies():
    slow, fast = line([(16, 3.0), (32, 2.0)]), line([(4, 3.0), (8, 2.0)])
    assert matched_ratio(slow, fast, 2.0, "lower", resamples=10).interval.value == pytest.approx(4)
    assert matched_ratio(slow, fast, 3.0, "lower", resamples=10).interval.value == pytest.approx(4)


def test_on_a_flat_front_the_running_best_flatters():
    """Seven settings of one true quality, then a better one: noise lets a cheap one reach the goal."""
    rng, costs, n = np.random.default_rng(16), 10 * 1.08 ** np.arange(8), 32
    truth = 10 * 1.08**6.25    # a quarter of the way from the end of the flat stretch to the better setting
    base, found = [flat_point(100, -1.0, n), flat_point(105, 3.0, n)], []
    for _ in range(300):
        arm = [Point(c, scores(q + rng.normal(0, 1, n)), np.full(n, c)) for c, q in zip(costs, [0.0] * 7 + [1.0])]
        found.append(matched_ratio(base, arm, 0.25, "higher", resamples=1).arm_cost)
    found = np.array([cost or costs[0] for cost in found])
    assert found.mean() + 4 * found.std() / 300**0.5 < truth, (found.mean(), truth)


def test_matched_ratio_of_a_shifted_frontier_is_the_shift():
    slow, fast = line([(100, 0.5), (109, 0.9)]), line([(40, 0.5), (43.6, 0.9)])
    found = matched_ratio(slow, fast, 0.8, "higher", resamples=50)
    assert found.interval[:4] == pytest.approx((2.5, 2.5, 2.5, 4))
    assert found.arm_cost == pytest.approx(40 * 1.09**0.75) and found.baseline_cost == pytest.approx(100 * 1.09**0.75)
    assert (found.missed, found.resamples, found.reason) == (0, 50, "")


def test_a_quality_out_of_reach_has_no_ratio_but_a_reason():
    slow, fast = line([(100, 0.5), (109, 0.9)]), line([(40, 0.6), (43.6, 0.8)])
    for quality, reason in ((0.85, "arm does not reach"), (0.55, "arm is better at its cheapest"),
                            (0.95, "baseline does not reach")):
        found = matched_ratio(slow, fast, quality, "higher", resamples=10)
        assert found.interval is None and reason in found.reason
    assert [m.interval is None for m in matched_curve(*(rising(points, "higher", resamples=10)
                                                        for points in (slow, fast)),
                                                      (0.55, 0.7, 0.85))] == [True, False, True]


def test_an_arm_that_is_better_at_its_cheapest_point_may_stand_at_that_cost():
    slow, fast = line([(100, 0.5), (109, 0.9)]), line([(40, 0.6), (43.6, 0.8)])
    found = matched_ratio(slow, fast, 0.55, "higher", resamples=10, at_least=True)
    assert (
        found.arm_cost == pytest.approx(40)
        and found.interval.value == pytest.approx(100 * 1.09 ** (0.05 / 0.4) / 40)
        and found.missed == 0
    )
    # elsewhere nothing changes: within both fronts, beyond the arm, beyond the baseline
    for quality in (0.7, 0.85, 0.95):
        assert matched_ratio(slow, fast, quality, "higher", resamples=10,
                             at_least=True) == matched_ratio(slow, fast, quality, "higher", resamples=10)
    assert matched_ratio(fast, slow, 0.55, "higher", resamples=10,
                         at_least=True).interval is None, "a baseline that is better at its cheapest point has no cost"


def noisy(costs, qualities, n, rng, row):
    """Points whose rows share an effect `row` on quality, with noise in both axes."""
    for cost, quality in zip(costs, qualities, strict=True):
        per_row = cost * rng.gamma(400, 1 / 400, n)
        yield Point(per_row.mean(), scores(quality + row + rng.normal(0, 0.3, n)), per_row)


def one_by_one(baseline, arm, quality, better, resamples):
    """A matched ratio as its definition reads: one resample after the other, each with rows of its own."""
    n, found = len(baseline[0].costs), []
    counts = np.concatenate((np.ones((1, n)), stats._multiplicities(n, resamples, 0, 0)))
    for weights in counts:
        costs = []
        for points in (baseline, arm):
            again = [Point(np.average(p.costs, weights=weights),
                           scores(weights * p.scores.numerator, weights * p.scores.denominator), weights * p.costs)
                     for p in points]
            costs.append(cost_at(again, quality, better))
        found.append(costs[0] / costs[1])
    return found


def test_a_curve_is_the_ratio_at_each_quality_and_each_is_what_the_definition_says():
    rng = np.random.default_rng(13)
    slow, fast = fronts(rng, 40)
    grid = [0.2, 1.5, 1.7, 2.4, 9.0, fast[1].scores]
    curve = matched_curve(*(rising(points, "lower", resamples=60) for points in (slow, fast)), grid)
    assert curve == [matched_ratio(slow, fast, quality, "lower", resamples=60) for quality in grid]
    assert [found.interval is None for found in curve] == [True, False, False, False, True, False]
    value, *others = one_by_one(slow, fast, 1.7, "lower", 60)
    tail = tail_share(0.95, 40)
    low, high = np.quantile(others, (tail, 1 - tail), method="inverted_cdf")
    assert curve[2].interval[:3] == pytest.approx((value, low, high))


def test_a_curve_resamples_once(monkeypatch):
    rng, calls = np.random.default_rng(14), []
    monkeypatch.setattr(frontier, "resampled_sums", lambda *words: calls.append(1) or stats.resampled_sums(*words))
    matched_curve(*(rising(points, "lower", resamples=50) for points in fronts(rng)), np.linspace(1.2, 2.8, 30))
    assert len(calls) == 2


def test_missed_resamples_are_counted_and_too_many_leave_no_interval():
    rng = np.random.default_rng(9)
    slow, fast = (list(noisy(costs, (3.0, 1.0), 50, rng, np.zeros(50))) for costs in ((100, 106), (50, 53)))
    last = max(point.scores.value for point in (slow[1], fast[1]))
    few, many = (matched_ratio(slow, fast, quality, "lower") for quality in (last + 0.12, last + 0.01))
    assert few.interval is not None and few.missed <= 0.05 * few.resamples
    assert many.interval is None and f"{many.missed} of 2000" in many.reason and many.missed > 0.025 * 2000
    # both sides miss at once: the ratio is unknown, not 1
    alone = matched_ratio(slow, slow, slow[1].scores.value + 0.01, "lower")
    assert alone.interval is None and alone.missed > 0.025 * 2000
    assert many.arm_cost is not None and many.baseline_cost is not None


def test_quality_may_be_an_arms_own_and_is_resampled_with_it():
    rng = np.random.default_rng(10)
    slow, fast = (list(noisy(costs, (3.0, best), 50, rng, np.zeros(50))) for costs,
                  best in (((100, 106), 1.5), ((50, 53), 1.0)))
    found = matched_ratio(slow, fast, slow[-1].scores, "lower")
    assert found.missed == 0 and found.baseline_cost == pytest.approx(slow[-1].cost)
    assert matched_ratio(slow, fast, slow[-1].scores.value, "lower").interval is None


def test_frontiers_refuse_what_they_cannot_compare():
    good = line([(1, 0.1), (10, 0.5)])
    with pytest.raises(ValueError, match="same rows"):
        matched_ratio(good, [flat_point(1, 0.1, n=5)], 0.3, "higher")
    with pytest.raises(ValueError, match="same rows"):
        matched_ratio([], good, 0.3, "higher")
    with pytest.raises(ValueError, match="are the units the same"):
        matched_ratio(good, [good[0]._replace(cost=12.0)], 0.1, "higher")
    with pytest.raises(ValueError, match="lower or higher"):
        matched_ratio(good, good, 0.3, "match")


def test_pareto_keeps_what_nothing_beats():
    costs, values = [1, 2, 2, 4, 8, 1], [1, 3, 2, 3, 5, 1]
    assert pareto(costs, values, "higher").tolist() == [True, True, False, False, True, True]
    assert pareto(costs, [-v for v in values], "lower").tolist() == [True, True, False, False, True, True]


def test_hypervolume_by_hand():
    e = math.e
    assert hypervolume([1, e], [2.0, 3.0], (e**3, 1.0), "higher") == pytest.approx(1 * 1 + 2 * 2)
    # a dominated point adds nothing
    assert hypervolume([e, 1, e**2], [-3.0, -2.0, -2.5], (e**3, -1.0), "lower") == pytest.approx(5)
    assert hypervolume([e**4, 1], [9.0, 0.5], (e**3, 1.0), "higher") == 0


def test_interval_of_the_hypervolume_holds_the_value():
    rng = np.random.default_rng(11)
    points = list(noisy((10, 100), (3.0, 1.0), 100, rng, np.zeros(100)))
    found = hypervolume_interval(points, (1000, 4.0), "lower", resamples=500)
    assert found.value == pytest.approx(hypervolume([p.cost for p in points], [p.scores.value for p in points],
                                                    (1000, 4.0), "lower"))
    assert found.low < found.value < found.high and found.n == 100
