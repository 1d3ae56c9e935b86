"""A front that is chosen and judged on the same rows flatters itself: of many noisy points the luckiest stand in front.

Here it is chosen on the even rows and judged on the odd ones, which had no say in the choice. Both numbers compare it
with fixed points on the same rows:

    gain     hypervolume of the front minus that of the fixed points, in units of quality times ln cost. The corner is
             the highest cost and the worst quality of the fixed points, so what is cheaper but worse than all of them
             counts for nothing. A front of more points has finer steps, and gains by that too.
    ahead    for each fixed point the best point that costs no more, and the mean of the differences in quality (chosen
             minus fixed)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.kinds import Scores
from harness.stats.frontier import Point, hypervolume, hypervolume_gain, pareto
from harness.stats.intervals import Interval, interval, resampled_sums


class Contest(NamedTuple):
    """What points of a search gain over fixed ones, on rows that did not choose them."""

    front: list[int]      # places among the points
    gain: Interval
    baseline: float       # hypervolume of the fixed points
    ahead: Interval | None
    compared: int         # fixed points that some point is no dearer than
    cost: float           # of the points chosen for `ahead` over that of the fixed ones, geometric mean


def part(point: Point, rows: slice) -> Point:
    """The point on some of its rows, with the cost and the score of those rows."""
    numerator, denominator, costs = (np.asarray(x, np.float64)[rows]
                                     for x in (point.scores.numerator, point.scores.denominator, point.costs))
    return Point(float(costs.mean()), Scores(float(numerator.sum() / denominator.sum()), numerator, denominator), costs)


def contest(points: Sequence[Point], fixed: Sequence[Point], better: str, resamples: int = 2000, seed: int = 0,
            level: float = 0.95) -> Contest:
    """Points of a search against fixed ones, all on the same rows: the front is chosen on the even rows, judged on the
    odd.
    """
    (seen, known), (held, base) = ([[part(p, rows) for p in side] for side in (points, fixed)]
                                   for rows in (slice(0, None, 2), slice(1, None, 2)))
    up = 1 if better == "higher" else -1
    front = np.flatnonzero(pareto([p.cost for p in seen], [p.scores.value for p in seen], better)).tolist()
    reference = max(p.cost for p in known), up * min(up * p.scores.value for p in known)
    gain = hypervolume_gain([held[k] for k in front], base, reference, better, resamples, seed, level)
    pairs = [(max(cheap, key=lambda k: up * seen[k].scores.value), b) for b, p in enumerate(known)
             if (cheap := [k for k, q in enumerate(seen) if q.cost <= p.cost])]
    ahead, ratio = _ahead([(held[k], base[b]) for k, b in pairs], resamples, seed, level) if pairs else (None, 1.0)
    area = hypervolume([p.cost for p in base], [p.scores.value for p in base], reference, better)
    return Contest(front, gain, area, ahead, len(pairs), ratio)


def _ahead(pairs: Sequence[tuple[Point, Point]], resamples: int, seed: int, level: float) -> tuple[Interval, float]:
    columns = np.stack([x for pair in pairs for p in pair for x in p.scores[1:]], 1)     # (m, 4 K)
    sums = resampled_sums(columns, resamples, seed)
    values = sums[:, 0::2] / sums[:, 1::2]                                               # (1 + resamples, 2 K)
    value, *found = (values[:, 0::2] - values[:, 1::2]).mean(1)
    return interval(value, found, len(columns),
                    level), float(np.exp(np.mean([np.log(a.cost / b.cost) for a, b in pairs])))
