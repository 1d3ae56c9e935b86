"""Whether what was predicted of many settings agrees with what was measured: rank correlation, and whether the parts of
a setting add up.

Tables are (1 + R, K): K settings, of the rows as they are and then of R resamples of them, as `resampled_sums` gives.
So the interval of a correlation covers the noise of the rows, in both tables at once, and not the choice of the
settings: they are those of the design. Noise pulls a resampled correlation towards zero, below the one that was
measured; an interval that would end below it is drawn out to it. How much of the measured ranking is noise is seen in
the correlation of two halves of the rows.

    >>> spearman(np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[10.0, 30.0, 20.0, 40.0]])).round(3).tolist()
    [0.8]
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.kinds import Scores
from harness.stats.intervals import Interval, interval, resampled_sums

RANKED = ("states", "placement", "loss", "loss_low", "loss_high", "measured", "measured_low", "measured_high")
AGREED = ("states", "quantity", "value", "low", "high")


def losses(baseline: Scores, others: Sequence[Scores], resamples: int, seed: int = 0) -> np.ndarray:
    """Value of each of the others minus that of the baseline, (1 + resamples, K), all on the same rows."""
    columns = [np.asarray(x, np.float64) for scores in (baseline, *others)
               for x in (scores.numerator, scores.denominator)]
    sums = resampled_sums(np.stack(columns, 1), resamples, seed)
    values = sums[:, 0::2] / sums[:, 1::2]                                         # (1 + resamples, 1 + K)
    return values[:, 1:] - values[:, :1]


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 within each row, (R, K) -> (R, K); equal values share the mean of theirs."""
    below, equal = ((values[:, :, None] > values[:, None]).sum(2), (values[:, :, None] == values[:, None]).sum(2))
    return below + (equal + 1) / 2


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rank correlation within each row, (R, K), (R, K) -> (R,); NaN where all values of a side are equal, which ranks
    nothing (`ranking`).
    """
    a, b = (r - r.mean(1, keepdims=True) for r in (ranks(np.asarray(x, np.float64)) for x in (a, b)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))


def ranking(found: np.ndarray) -> np.ndarray:
    """Correlations (1 + R,) of the rows and of R resamples, without those of resamples that rank nothing. Raises
    ValueError if the rows themselves do not.
    """
    if not np.isfinite(found[0]):
        raise ValueError("all values of one side are equal, which ranks nothing: compare settings that differ, or "
                         "sample more rows")
    return found[np.isfinite(found)]


def spanned(found: np.ndarray, n: int, level: float = 0.95) -> Interval:
    """(1 + R,) -> the value and its percentile interval, drawn out to the value where it would leave it out; n rows
    were resampled.
    """
    between = interval(found[0], found[1:], n, level)
    return between._replace(low=min(between.low, between.value), high=max(between.high, between.value))


class Additive(NamedTuple):
    """What each part of a setting costs if parts add up, and how well that explains the settings."""

    effects: list[Interval]    # of each part, in units of the loss
    r_squared: Interval        # share of the settings' spread that the sum of effects explains


def additive(loss: np.ndarray, parts: Sequence[Sequence[int]], pieces: int, n: int, level: float = 0.95) -> Additive:
    """Least squares of loss (1 + R, K) on which of the pieces each setting has, without interaction. Raises ValueError
    where all settings lose the same.
    """
    design = np.array([[float(piece in chosen) for piece in range(pieces)] for chosen in parts])  # (K, pieces)
    effects = loss @ np.linalg.pinv(design).T  # (1 + R, pieces)
    left = loss - effects @ design.T
    spread = ((loss - loss.mean(1, keepdims=True)) ** 2).sum(1)                    # (1 + R,)
    if not spread[0]:
        raise ValueError("all settings lose the same, so that parts explain nothing: compare settings that differ, or "
                         "sample more rows")
    r_squared = 1 - ((left**2).sum(1)[spread > 0] / spread[spread > 0])
    return Additive([spanned(column, n, level) for column in effects.T], spanned(r_squared, n, level))


def ranked(names: Sequence[str], predicted: Mapping[str, np.ndarray], measured: np.ndarray, n: int) -> list[list]:
    """Rows of RANKED: each setting's predicted loss, by the states it was predicted on, beside the measured one."""
    return [[states, name, *interval(p[0], p[1:], n, 0.95)[:3], *interval(m[0], m[1:], n, 0.95)[:3]]
            for states, table in predicted.items() for name, p, m in zip(names, table.T, measured.T, strict=True)]


def agreed(predicted: Mapping[str, np.ndarray], measured: np.ndarray, halves: Sequence[np.ndarray],
           parts: Sequence[Sequence[int]], pieces: int, n: int) -> list[list]:
    """Rows of AGREED: correlations of predicted and measured, of the measured of two halves of the rows, and what each
    piece costs if pieces add up.
    """
    rows = [[states, "spearman", *spanned(ranking(spearman(table, measured)), n)[:3]]
            for states, table in predicted.items()]
    rows.append(["two halves of the rows", "spearman", *spanned(ranking(spearman(*halves)), n // 2)[:3]])
    sums = additive(measured, parts, pieces, n)
    return rows + [["measured", "r_squared", *sums.r_squared[:3]]] + [["measured", f"piece {k}", *effect[:3]] for k,
                                                                      effect in enumerate(sums.effects)]
