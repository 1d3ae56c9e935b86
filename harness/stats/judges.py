"""Whether two judges agree: Spearman's rank correlation of their scores, over operating points and over sequences, with
bootstrap intervals over rows.

Over points: each judge ranks K points of the same n rows. A resample takes the same rows at every point and under both
judges, so that the interval holds the noise of the rows and not the choice of the points (harness/stats/agreement.py,
`spanned`). Over sequences: within a point each judge ranks the n rows, and the correlations are averaged over points;
rows of different points are never ranked together, or the first question would answer the second. A judge of which more
is better is turned round.

    over_points(values(a), values(b), n)        a, b: Scores of the same points in the same order
    over_rows(a, b)
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from harness.kinds import Scores
from harness.stats.agreement import spanned
from harness.stats.intervals import Interval, resampled_sums


def values(points: Sequence[Scores], resamples: int = 2000, seed: int = 0) -> np.ndarray:
    """The value of each point, (1 + resamples, K): of its rows as they are, then of resamples of them; where scores
    have no rows the value alone, (1, K).
    """
    if any(not len(scores.numerator) for scores in points):
        return np.array([[scores.value for scores in points]])
    columns = [np.asarray(column, np.float64) for scores in points for column in (scores.numerator, scores.denominator)]
    sums = resampled_sums(np.stack(columns, 1), resamples, seed)
    return sums[:, 0::2] / sums[:, 1::2]


def over_points(a: np.ndarray, b: np.ndarray, n: int, better: tuple[str, str] = ("lower", "lower")) -> Interval:
    """Of tables that `values` made; `better` of each judge. Without an interval (NaN) where a judge has no rows to
    resample. Raises ValueError if one cannot rank.
    """
    if a.shape[1] != b.shape[1] or a.shape[1] < 3:
        raise ValueError(f"a rank correlation takes three points or more that both judges scored, not {a.shape[1]} "
                         f"and {b.shape[1]}")
    from scipy.stats import rankdata  # slow to load, and this file is scanned for plug-ins

    resamples = min(len(a), len(b))
    sign = 1 if better[0] == better[1] else -1
    found = sign * _correlation(rankdata(a[:resamples], axis=1), rankdata(b[:resamples], axis=1),
                                np.ones((1, a.shape[1])))
    if not np.isfinite(found[0]):
        raise ValueError("a judge gives every point the same score, which ranks nothing")
    if resamples == 1:
        return Interval(float(found[0]), np.nan, np.nan, n)
    return spanned(found[np.isfinite(found)], n)


def over_rows(a: Sequence[Scores], b: Sequence[Scores], better: tuple[str, str] = ("lower", "lower"),
              resamples: int = 200, seed: int = 0) -> Interval:
    """The mean over points of the correlation within a point. Points in which a judge gives all rows one score rank
    nothing and are left out; ValueError if none is left.
    """
    sign, found = 1 if better[0] == better[1] else -1, []
    for one, other in zip(a, b, strict=True):
        # (n,) each
        x, y = [np.asarray(s.numerator, np.float64) / np.asarray(s.denominator, np.float64) for s in (one, other)]
        if all(len(np.unique(values)) > 1 for values in (x, y)):
            found.append(sign * _resampled(x, y, resamples, seed))
    if not found:
        raise ValueError("a judge gives every row of a point the same score, which ranks nothing")
    return spanned(np.mean(found, 0), len(a[0].numerator))


def _resampled(x: np.ndarray, y: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Spearman's correlation of the rows as they are and of each resample, (n,), (n,) -> (1 + resamples,): a row that
    was drawn m times is m rows with equal ranks.
    """
    counts = _counts(len(x), resamples, seed)
    return _correlation(midranks(x, counts), midranks(y, counts), counts)


@lru_cache(maxsize=2)
def _counts(n: int, resamples: int, seed: int) -> np.ndarray:
    """How often each row stands there, (1 + resamples, n): once, and then in each resample."""
    return resampled_sums(np.eye(n), resamples, seed)


def midranks(x: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Ranks of values (n,) of which each stands there so many times (R, n); equal ones share the mean of theirs, (R,
    n).

    >>> midranks(np.array([3.0, 1.0, 3.0]), np.array([[1, 1, 1], [2, 0, 1]])).tolist()
    [[2.5, 1.0, 2.5], [2.0, 0.5, 2.0]]
    """
    known, place = np.unique(x, return_inverse=True)
    order = np.argsort(place, kind="stable")
    # (R, values): how often each stands there
    kinds = np.add.reduceat(counts[:, order], np.searchsorted(place[order], np.arange(len(known))), axis=1)
    below = np.cumsum(kinds, 1) - kinds
    return (below + (kinds + 1) / 2)[:, place]


def _correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's, row by row, of columns with these weights, (R, n) each -> (R,); NaN where a row does not vary."""
    total = weights.sum(1, keepdims=True) * np.ones((len(x), 1))
    x, y = (z - (weights * z).sum(1, keepdims=True) / total for z in (x, y))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights * x * y).sum(1) / np.sqrt((weights * x * x).sum(1) * (weights * y * y).sum(1))


def pairs(judges: Sequence[str], others: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """What is compared with what: each two judges, then each judge with each of the others."""
    yield from ((a, b) for k, a in enumerate(judges) for b in judges[k + 1:])
    yield from ((a, b) for a in judges for b in others)
