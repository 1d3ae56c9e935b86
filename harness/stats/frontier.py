"""Frontiers: what a sampler costs along a quality, as a guide to the eye; and the area that a front dominates.

A frontier is a list of Points of one arm at several settings. Costs may be passes, FLOPs or seconds, one unit
throughout. Cost at a quality: points are sorted by cost, made monotone by the running best, and joined by lines in (log
cost, quality). Nothing is extrapolated: a quality that the cheapest point already exceeds has no cost here, nor has one
that is never reached. Nothing is read between settings further apart in cost than APART, since no setting need lie on a
line so long.

Such a cost is a guide. A number that is claimed is that of a setting that was run: harness/stats/realised.py. For
three reasons:

- no setting need lie on the line, even on a short one;
- the running best is a maximum over noise: where a front is flat, some cheap point reaches the goal by luck, and the
  cost that is read lies below the truth, by the more the more points there are. A flat stretch is left at its end,
  which does not mend that;
- an interval that is given although some resamples missed is of those that hit, and leans high.

Rows of all points are resampled together, costs and scores at once: rows share prompts and seeds across arms. A
resample in which a cost falls off its frontier is missed. Its ratio goes to the tail where it belongs (0 where the arm
never gets there, infinity where the baseline does not, both tails where the side is unknown); once missed resamples
fill a tail of the interval, 2.5 % a side and so 5 % at most, there is no interval, and the reason says so.

    >>> ones, costs = np.ones(4), np.ones(4)
    >>> slow = [Point(c, Scores(q, q * ones, ones), c * costs) for c, q in ((100, 0.5), (108, 0.9))]
    >>> fast = [Point(c, Scores(q, q * ones, ones), c * costs) for c, q in ((50, 0.5), (54, 0.9), (90, 0.95))]
    >>> found = matched_ratio(slow, fast, quality=0.7, better="higher")
    >>> round(found.interval.value, 9), round(found.arm_cost, 2), found.missed
    (2.0, 51.96, 0)
    >>> matched_ratio(fast, fast, quality=0.93, better="higher").reason
    'the baseline is read between settings at 54 and 90, further apart than 10 %'
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.kinds import Scores
from harness.stats.intervals import Interval, interval, resampled_sums, tail_share

APART = 1.10    # dearer over cheaper: between settings further apart nothing is read


class Point(NamedTuple):
    """One operating point of an arm: its cost in passes, FLOPs or seconds, and its quality, both by row. The cost must
    be the mean of `costs`.
    """

    cost: float            # mean over rows
    scores: Scores
    costs: np.ndarray      # (n,) per row


class Matched(NamedTuple):
    """Cost of the baseline over cost of the arm at one quality; above 1 the arm is cheaper."""

    quality: float
    baseline_cost: float | None
    arm_cost: float | None
    interval: Interval | None
    missed: int             # resamples in which a frontier does not reach the quality
    resamples: int
    reason: str = ""        # why there is no interval


def matched_ratio(baseline: Sequence[Point], arm: Sequence[Point], quality: float | Scores, better: str,
                  resamples: int = 2000,
                  seed: int = 0, level: float = 0.95, at_least: bool = False) -> Matched:
    """Cost of the baseline over that of the arm at equal quality.

    `quality` is a number, or the Scores of an arm on the same rows (the baseline's last point, held-out data),
    resampled with them. at_least: where the arm is better even at its cheapest point, that point's cost stands for it,
    and the ratio is a lower bound.
    """
    base, mine = (rising(points, better, resamples, seed) for points in (baseline, arm))
    return matched_curve(base, mine, [quality], level, at_least)[0]


class Rising(NamedTuple):
    """A frontier and its resamples, to be read at many qualities. `best` has the sign turned where lower is better."""

    log_cost: np.ndarray   # (1 + resamples, K), ascending
    best: np.ndarray       # (1 + resamples, K), the best value so far, higher better
    better: str
    n: int
    seed: int


def rising(points: Sequence[Point], better: str, resamples: int = 2000, seed: int = 0) -> Rising:
    """The frontier of points (K of one arm, on the same n rows) with its resamples. Raises ValueError for a metric that
    is to match, for rows that the points do not share, or for a cost that is not above 0.
    """
    return Rising(*_rising(*_frontier(points, resamples, seed), better), better, _rows(*points), seed)


def matched_curve(baseline: Rising, arm: Rising, qualities: Sequence[float | Scores], level: float = 0.95,
                  at_least: bool = False) -> list[Matched]:
    """matched_ratio over a grid of qualities. The intervals are pointwise. Raises ValueError for frontiers of unlike
    numbers of rows, or of other resamples.
    """
    _one({baseline.n, arm.n})
    if (baseline.seed, len(baseline.best)) != (arm.seed, len(arm.best)):
        raise ValueError("frontiers are paired by the same resamples: give both one seed and number of resamples")
    return [_matched(baseline, arm, _goal(quality, arm.n, len(arm.best) - 1, arm.seed), level, at_least)
            for quality in qualities]


def _matched(baseline: Rising, arm: Rising, goal: np.ndarray, level: float, at_least: bool) -> Matched:
    """goal: (1 + resamples,)."""
    b, a = (_crossing(front[:2], _up(goal, arm.better)) for front in (baseline, arm))  # (1 + resamples,) each
    if at_least:
        a = np.where(a == 0, np.exp(arm.log_cost[:, 0]), a)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = b / a  # 0 / 0 and inf / inf are NaN: the side is unknown
    missed, resamples = int(((b == 0) | (a == 0) | np.isinf(b) | np.isinf(a))[1:].sum()), len(goal) - 1
    found = Matched(float(goal[0]), _known(b[0]), _known(a[0]), None, missed, resamples)
    for name, cost in (("baseline", b[0]), ("arm", a[0])):
        if _known(cost) is None:
            return found._replace(reason=f"the {name} {_where(cost)}")
    for name, front in (("baseline", baseline), ("arm", arm)):
        if (ends := _ends(front, goal[0])) and ends[1] > APART * ends[0]:
            return found._replace(reason=f"the {name} is read between settings at {ends[0]:.3g} and {ends[1]:.3g}, "
                                         f"further apart than {100 * (APART - 1):.0f} %")
    between = _between(ratio, arm.n, level)
    return found._replace(interval=between) if between else found._replace(reason=f"{missed} of {resamples} resamples "
                                                                                  "do not reach this quality on both "
                                                                                  "frontiers")


def _between(found: np.ndarray, n: int, level: float) -> Interval | None:
    """found (1 + resamples,): the value, then what resamples gave, 0 and infinity and NaN where they missed; None if
    those fill a tail.
    """
    tail = tail_share(level, n)
    low = np.quantile(np.nan_to_num(found[1:], nan=0, posinf=np.inf), tail, method="inverted_cdf")
    high = np.quantile(np.nan_to_num(found[1:], nan=np.inf, posinf=np.inf), 1 - tail, method="inverted_cdf")
    return None if low == 0 or high == np.inf else Interval(float(found[0]), float(low), float(high), n, level)


def _ends(front: Rising, goal: float) -> tuple[float, float] | None:
    """The costs of the two settings between which the front reaches the goal, in the rows as they are; None where it
    does so at a setting, or never.
    """
    goal = float(_up(np.array(goal), front.better))
    slack = _slack(goal)
    k = int((front.best[0] >= goal - slack).argmax())
    left, right = np.exp(front.log_cost[0, max(k - 1, 0)]), np.exp(front.log_cost[0, k])
    return (float(left), float(right)) if k and front.best[0, k] > goal + slack else None


def _slack(goal: float | np.ndarray) -> float | np.ndarray:
    """Sums of equal numbers may differ in their last bit."""
    return 1e-9 * np.maximum(1, np.abs(goal))


def _where(cost: float) -> str:
    return "is better at its cheapest point" if cost == 0 else "does not reach this quality"


def pareto(costs: Sequence[float] | np.ndarray, values: Sequence[float] | np.ndarray, better: str) -> np.ndarray:
    """(K,) bool: points that no other point beats on one axis while it is at least as good on the other."""
    cost, value = np.asarray(costs, np.float64), _up(np.asarray(values, np.float64), better)    # (K,), (K,)
    no_worse = (cost[:, None] <= cost) & (value[:, None] >= value)    # (K, K): the row beats the column, or ties
    return np.logical_not((no_worse & ~no_worse.T).any(0))


def hypervolume(costs: Sequence[float] | np.ndarray, values: Sequence[float] | np.ndarray,
                reference: tuple[float, float], better: str) -> float:
    """Area in (ln cost, quality) that the points dominate, up to a reference (cost, quality) which is worse than all
    that counts.
    """
    cost, value = np.asarray(costs, np.float64)[None], np.asarray(values, np.float64)[None]    # (1, K), (1, K)
    return float(_area(cost, value, reference, better)[0])


def hypervolume_interval(points: Sequence[Point], reference: tuple[float, float], better: str, resamples: int = 2000,
                         seed: int = 0,
                         level: float = 0.95) -> Interval:
    """Interval of the hypervolume, the rows of all points resampled together, in units of quality times ln cost."""
    value, *found = _area(*_frontier(points, resamples, seed), reference, better)
    return interval(value, found, _rows(*points), level)


def hypervolume_gain(points: Sequence[Point], baseline: Sequence[Point], reference: tuple[float, float], better: str,
                     resamples: int = 2000, seed: int = 0,
                     level: float = 0.95) -> Interval:
    """Hypervolume of one front minus that of another, the rows of both resampled together."""
    value, *found = np.subtract(*(_area(*_frontier(front, resamples, seed), reference, better)
                                  for front in (points, baseline)))
    return interval(value, found, _rows(*points, *baseline), level)


def _up(values: np.ndarray, better: str) -> np.ndarray:
    if better not in ("lower", "higher"):
        raise ValueError(f"a frontier needs a metric that is better lower or higher, not {better!r}: choose such a "
                         "metric")
    return values if better == "higher" else -values


def _known(cost: float) -> float | None:
    return float(cost) if 0 < cost < np.inf else None


def _goal(quality: float | Scores, n: int, resamples: int, seed: int) -> np.ndarray:
    if not isinstance(quality, Scores):
        return np.full(1 + resamples, float(quality))
    return _frontier([Point(1.0, quality, np.ones(n))], resamples, seed)[1][:, 0]


def _rows(*points: Point) -> int:
    """The number of rows that all points share."""
    return _one({len(x) for _, scores, costs in points for x in (scores.numerator, scores.denominator, costs)})


def _one(lengths: set[int]) -> int:
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError("frontiers need points with one score and one cost for each of the same rows: give the rows "
                         "that the arms share")
    return lengths.pop()


def _frontier(points: Sequence[Point], resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean costs and values of K points, (1 + resamples, K) each: of the rows as they are, then of each resample."""
    n = _rows(*points)
    columns = [np.asarray(x, np.float64) for _, scores, costs in points
               for x in (scores.numerator, scores.denominator, costs)]
    for (cost, *_), costs in zip(points, columns[2::3], strict=True):
        if not (cost > 0 and abs(costs.mean() - cost) <= 1e-6 * cost):
            raise ValueError(f"a point's cost {cost:g} must be above 0 and the mean of its rows, {costs.mean():g}: "
                             "are the units the same?")
    sums = resampled_sums(np.stack(columns, 1), resamples, seed)                   # (1 + resamples, 3 K)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = sums[:, 0::3] / sums[:, 1::3]
    if not np.isfinite(values).all():
        raise ValueError("a point's quality is not finite: the metric has failed, or too few rows hold what it counts")
    return sums[:, 2::3] / n, values


def _rising(costs: np.ndarray, values: np.ndarray, better: str) -> tuple[np.ndarray, np.ndarray]:
    """Costs and values, (R, K) each -> log cost in ascending order and the best value so far, higher better, (R, K)
    each.
    """
    order = costs.argsort(1, kind="stable")
    return np.log(np.take_along_axis(costs, order, 1)), np.maximum.accumulate(
        np.take_along_axis(_up(values, better), order, 1), 1
    )


def _crossing(front: tuple[np.ndarray, np.ndarray], goal: np.ndarray) -> np.ndarray:
    """(R, K), (R, K) of _rising, (R,) -> (R,) cost; 0 if the cheapest point exceeds the goal, infinity if none reaches
    it.
    """
    log_cost, best = front
    goal = goal[:, None]
    slack = _slack(goal)
    reached = best >= goal - slack
    k = reached.argmax(1)[:, None]  # (R, 1): the first point that reaches the goal
    here, before = (np.take_along_axis(best, j, 1) for j in (k, np.maximum(k - 1, 0)))
    share = np.where(here > before, (goal - before) / np.where(here > before, here - before, 1), 1).clip(0, 1)
    left, right = (np.take_along_axis(log_cost, j, 1) for j in (np.maximum(k - 1, 0), k))
    found = np.where((k == 0) & (here > goal + slack), 0, np.exp(left + share * (right - left)))
    return np.where(reached.any(1), found[:, 0], np.inf)


def _area(costs: np.ndarray, values: np.ndarray, reference: tuple[float, float], better: str) -> np.ndarray:
    most, worst = reference
    # (R, K): what costs more than the reference has no width
    log_cost, best = _rising(np.minimum(costs, most), values, better)
    height = (best - _up(np.array(worst), better)).clip(0)
    return (height * np.diff(log_cost, axis=1, append=np.log(most))).sum(1)        # (R,)
