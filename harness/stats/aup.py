"""AUP, the area under the curve of quality against tokens per forward that d3LLM publishes, as its code has it.

    points sorted by TPF r, with quality y in percent; those more than 5 below the first are dropped
    AUP = r_1 y_1 + sum_i (r_i - r_(i-1)) (y_i W(y_i) + y_(i-1) W(y_(i-1))) / 2
    W(y) = min(1, exp(-3 (1 - y / y_max)))

y_max is the best quality of all methods that are compared, so that one more method changes the AUP of every other. It
is a part of the number and stands beside it: two AUPs of unlike y_max are not to be compared.

    >>> round(aup([(1, 74.79), (2.77, 74.68)], y_max=74.98).value, 2)
    205.78
"""

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

import numpy as np

from harness.stats.intervals import Interval, interval, resampled_sums

FALL, STEEP = 5.0, 3.0    # percent below the first point, and the rate of the weight


class Aup(NamedTuple):
    """An area under the curve of quality against tokens per forward (TPF), with what decides it."""

    value: float
    y_max: float
    points: list[tuple[float, float]]     # (TPF, quality) that counted, by TPF
    dropped: list[tuple[float, float]]    # those too far below the first


class Setting(NamedTuple):
    """One setting of a method, by row: tokens (n,), passes (n,), and its quality as a ratio of sums, both (n,)."""

    tokens: np.ndarray
    passes: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray


def aup(points: Sequence[tuple[float, float]], y_max: float) -> Aup:
    """(TPF, quality in percent) in any order. Raises ValueError for no point, or a y_max that is none."""
    if not points or not y_max > 0:
        raise ValueError("an AUP needs a point and a y_max above zero: give those of the methods that are compared")
    ranked = sorted(points)
    kept = [p for p in ranked if p[1] >= ranked[0][1] - FALL]
    (r, y), area = kept[0], kept[0][0] * kept[0][1]
    for r_next, y_next in kept[1:]:
        area += (r_next - r) * (y_next * _weight(y_next, y_max) + y * _weight(y, y_max)) / 2
        r, y = r_next, y_next
    return Aup(area, y_max, kept, [p for p in ranked if p not in kept])


def aup_interval(settings: Sequence[Setting], y_max: float, resamples: int = 2000, seed: int = 0) -> Interval:
    """AUP of a method over a bootstrap of rows, the same rows of every setting; y_max stands still."""
    columns = np.stack([column for s in settings for column in s], 1).astype(np.float64)             # (n, 4 S)
    sums = resampled_sums(columns, resamples, seed)                                # (1 + resamples, 4 S)

    def value(row: np.ndarray) -> float:
        quads = row.reshape(-1, 4)                                                 # (S, 4)
        return aup([(t / p, 100 * a / b) for t, p, a, b in quads.tolist()], y_max).value

    point, *found = map(value, sums)
    return interval(point, found, len(columns), 0.95)


def _weight(y: float, y_max: float) -> float:
    return min(1.0, exp(-STEEP * (1 - y / y_max)))
