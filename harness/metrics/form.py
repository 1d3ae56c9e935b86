"""What every metric does first and last: take all the rows, and never hand back what is not a number.

A metric ends in one of two forms (harness/kinds.py, Scores): a ratio of sums over rows, or one number of the whole set.

    >>> ratio([3, 1], [4, 4], "share").value
    0.5

A metric of the whole set that is a smooth function of the law of its rows can be a ratio too: `linearised` gives each
row what the value gains from it, to first order (the influence function; Jaeckel, 1972). So it has an interval, and
pairs, as a mean has.
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from harness.kinds import Dataset, Scores


def tokens(samples: Tensor, data: Dataset) -> Tensor:
    """samples (n, L) -> (n, L) int64 on the CPU. Raises ValueError if there are none, or if one is not a token of the
    data.
    """
    if samples.ndim != 2 or not samples.numel() or samples.is_floating_point():
        kind = f"{str(samples.dtype).removeprefix('torch.')} of shape {tuple(samples.shape)}"
        raise ValueError(f"a metric takes at least one row of token ids, (n, L) int64, not {kind}: was anything "
                         "sampled?")
    low, high = samples.min().item(), samples.max().item()
    if low < 0 or high >= data.vocab:
        raise ValueError(f"samples hold the ids {low}..{high}, {data.name} has the tokens 0..{data.vocab - 1}: is a "
                         "mask left in them?")
    return samples.cpu().long()


def ratio(numerator: Sequence[float] | np.ndarray, denominator: Sequence[float] | np.ndarray, metric: str) -> Scores:
    """Scores of a ratio of sums over rows. Raises ValueError if a row is not finite or the denominators sum to zero."""
    over, under = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)        # (n,), (n,)
    finite = np.isfinite(over) & np.isfinite(under)
    if not finite.all():
        raise ValueError(f"{metric} is not a finite number in {(~finite).sum()} of {len(finite)} rows: the metric has "
                         "failed")
    if under.sum() <= 0:
        raise ValueError(f"{metric} has nothing to divide by: the rows hold none of what it counts")
    return Scores(float(over.sum() / under.sum()), over, under)


def linearised(value: float, influence: np.ndarray, counted: np.ndarray, metric: str) -> Scores:
    """Scores of a value of those of n rows that are `counted` (n,) bool, with the influence (m,) of each of them. Only
    differences of influences matter. Raises ValueError if the value or an influence is not finite.
    """
    over = np.zeros(len(counted))
    over[counted] = value + influence - influence.mean()
    return ratio(over, counted, metric)._replace(value=whole(value, metric).value)


def whole(value: float, metric: str) -> Scores:
    """Scores of a metric of the whole set. Raises ValueError if the value is not finite."""
    if not np.isfinite(value):
        raise ValueError(f"{metric} is {value}: the metric has failed")
    return Scores(float(value))
