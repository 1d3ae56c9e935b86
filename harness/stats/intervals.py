"""Intervals, paired by default: a bootstrap over rows, which are samples or prompts, of ratios of sums.

A resample draws n rows with replacement, through harness/random.py; every arm gets the same multiplicities, so rows
stay paired. Intervals are percentile intervals whose tails are widened from alpha/2 to Phi(-sqrt(n / (n-1)) t), t the
quantile of Student's law with n-1 degrees of freedom (Hesterberg, arXiv 1411.5279, the expanded percentile interval):
nothing at hundreds of rows. Timed processes are too few to resample: theirs is Student's interval of the logarithms of
paired times.

    >>> ratio_interval([1, 0, 1, 1] * 25, [1] * 100)
    Interval(value=0.75, low=0.66, high=0.83, n=100, level=0.95)
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist, median
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Scores
from harness.random import Stream, integers

FEWEST_PROCESSES = 5
_LANE = 2**40    # indices of independent resamples of one seed


class Interval(NamedTuple):
    """A value and the interval around it, both ends in the unit of the value."""

    value: float
    low: float
    high: float
    n: int                # rows, or processes
    level: float = 0.95


def ratio_interval(numerator: Sequence[float] | np.ndarray, denominator: Sequence[float] | np.ndarray,
                   resamples: int = 2000, seed: int = 0, level: float = 0.95) -> Interval:
    """Interval of numerator.sum() / denominator.sum(), both (n,): of a share, or of a mean where the denominators are
    1.
    """
    columns = _columns(Scores(0.0, numerator, denominator))                        # (n, 2)
    value, *found = _ratios(columns, resamples, seed)
    return interval(value, found, len(columns), level)


def paired_difference(a: Scores, b: Scores, resamples: int = 10_000, seed: int = 0, level: float = 0.95) -> Interval:
    """Interval of a - b, where row i of both comes from the same prompt and seed."""
    value, *found = _differences(a, b, resamples, seed)
    return interval(value, found, len(a.numerator), level)


def unpaired_difference(a: Scores, b: Scores, resamples: int = 10_000, seed: int = 0, level: float = 0.95) -> Interval:
    """Interval of a - b for rows that cannot be paired; label it so. n is that of the smaller side."""
    one, other = _columns(a), _columns(b)                                          # (n, 2), (m, 2)
    value, *found = _ratios(one, resamples, seed) - _ratios(other, resamples, seed, lane=1)
    return interval(value, found, min(len(one), len(other)), level)


def paired_p(a: Scores, b: Scores, resamples: int = 10_000, seed: int = 0) -> float:
    """Two-sided bootstrap p-value of "a and b do not differ"; at least 2 / (resamples + 1)."""
    found = _differences(a, b, resamples, seed)[1:]                                # (resamples,)
    return min(1.0, 2 * (min((found <= 0).sum(), (found >= 0).sum()) + 1).item() / (resamples + 1))


def share_interval(good: int, n: int, level: float = 0.95) -> Interval:
    """Share of n independent trials that were good, with the interval of Clopper and Pearson. ValueError unless 0 <=
    good <= n and n > 0.
    """
    if not 0 <= good <= n or not n:
        raise ValueError(f"{good} good trials of {n}")
    from scipy.special import betaincinv  # a fifth of a second for each fresh process that counts none

    tail = (1 - level) / 2
    low, high = (betaincinv(good, n - good + 1, tail) if good else 0.0), (betaincinv(good + 1, n - good, 1 - tail)
                                                                          if good < n else 1.0)
    return Interval(good / n, float(low), float(high), n)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number (Holm, 1979): those at most 0.05 are significant together at 5 %."""
    p = np.asarray(p_values, np.float64)                                           # (m,)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p-values lie between 0 and 1: a failed comparison has none and must be left out by name")
    order = p.argsort(kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]).clip(max=1)
    return adjusted.tolist()


def equivalent(difference: Interval, margin: float) -> bool:
    """Two one-sided tests at 5 % (Schuirmann, 1987): the 90 % interval of the difference lies within -margin..margin.

    Ask for the interval with level=0.90; a higher level makes the test stricter.
    """
    if difference.level < 0.90 or margin <= 0:
        raise ValueError("equivalence at 5 % needs a level of 0.90 or more and a margin above 0, not "
                         f"{difference.level:g} and {margin:g}")
    return -margin < difference.low and difference.high < margin


def set_interval(score: Callable[..., float], *samples: Tensor, resamples: int = 200, seed: int = 0,
                 level: float = 0.95) -> Interval:
    """Interval of a metric of the whole set, recomputed on resampled rows of `samples` (n, L): of one arm, or of
    several, paired.

    Repeated rows bias such metrics (distinct-n falls), so the resampled values are shifted to have the mean `value`.

        set_interval(lambda a, b: metric.score(a, data).value - metric.score(b, data).value, arm, baseline)
    """
    n = len(samples[0])
    if any(len(x) != n for x in samples):
        raise ValueError("the arms have unlike numbers of rows: give those that they share")
    value = score(*samples)
    # (resamples,)
    found = np.array([score(*(x[rows.to(x.device)] for x in samples)) for rows in _rows(n, resamples, seed)])
    return interval(value, found - found.mean() + value, n, level)


def time_ratio(a_seconds: Sequence[Sequence[float]], b_seconds: Sequence[Sequence[float]],
               level: float = 0.95) -> Interval:
    """How many times longer a takes than b. Each holds one list of seconds a process; process i of both ran in one
    block.

    value = geometric mean over pairs of median(a_i) / median(b_i); a pair is one unit, whatever its repetitions. The
    interval is Student's, of the mean of the logarithms: a bootstrap never leaves the range of its units, which for 5
    of them holds the mean in at most 94 % of cases.
    """
    if len(a_seconds) != len(b_seconds) or len(a_seconds) < FEWEST_PROCESSES:
        sides = f"{len(a_seconds)} and {len(b_seconds)}"
        raise ValueError(f"a ratio of times needs {FEWEST_PROCESSES} pairs of processes, not {sides}: time more, "
                         "interleaved")
    a, b = ([median(seconds) if len(seconds) else 0.0 for seconds in side] for side in (a_seconds, b_seconds))
    if not all(np.isfinite(x) and x > 0 for x in a + b):
        raise ValueError("every process must have repetitions, and each takes a finite time above 0: was a run "
                         "stopped?")
    logs = np.log(a) - np.log(b)                                                   # (processes,)
    half = _student(level, len(logs) - 1) * logs.std(ddof=1) / len(logs) ** 0.5
    value, low, high = (float(np.exp(logs.mean() + x)) for x in (0, -half, half))
    return Interval(value, low, high, len(logs), level)


def interval(value: float, found: Sequence[float] | np.ndarray, n: int, level: float) -> Interval:
    """The quantiles of resampled values, as an Interval. Raises ValueError if a value is not finite."""
    resampled = np.asarray(found)                                                  # (resamples,)
    if not np.isfinite(value) or not np.isfinite(resampled).all():
        raise ValueError("a resampled value is not finite: too few rows hold what the metric counts")
    tail = tail_share(level, n)
    low, high = np.quantile(resampled, (tail, 1 - tail))
    return Interval(float(value), float(low), float(high), n, level)


def tail_share(level: float, n: int) -> float:
    """Share of resamples that a tail of the expanded percentile interval leaves out."""
    return NormalDist().cdf(-_student(level, n - 1) * (n / (n - 1)) ** 0.5)


def _student(level: float, v: int) -> float:
    """The two-sided quantile of Student's law with v degrees of freedom, after A&S 26.7.5: within 1 % from v = 3 on."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    t = (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )
    return t + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)


def resampled_sums(columns: np.ndarray, resamples: int, seed: int, lane: int = 0) -> np.ndarray:
    """columns (n, k) -> sums over rows, (1 + resamples, k): first of the rows as they are, then of each resample."""
    counts = _multiplicities(len(columns), resamples, seed, lane)                  # (resamples, n)
    step = max(1, 2**22 // len(columns))
    sums = [counts[i : i + step].astype(np.float64) @ columns for i in range(0, resamples, step)]
    return np.concatenate((columns.sum(0, keepdims=True), *sums))


@lru_cache(maxsize=4)
def _multiplicities(n: int, resamples: int, seed: int, lane: int) -> np.ndarray:
    """How often each resample takes each row, (resamples, n) uint16. Resample r has the same rows whatever `resamples`
    is.

    One uniform gives as many base-n digits as fit 40 of its 52 bits, each digit a row.
    """
    if n < 2 and resamples:
        raise ValueError(f"a bootstrap needs at least 2 rows, not {n}")
    digits = max(1, next(d for d in range(40, -1, -1) if n**d <= 2**40))
    draws = lane * _LANE + torch.arange(-(-n // digits))
    powers = n ** np.arange(digits)                                                # (digits,)
    step = max(1, 2**15 // len(draws))
    counts = np.empty((resamples, n), np.uint16)
    for start in range(0, resamples, step):
        r = torch.arange(start, min(start + step, resamples))
        packed = integers(seed, r, Stream.RESAMPLE, draws, n**digits).numpy()      # (step, draws)
        rows = (packed[..., None] // powers % n).reshape(len(r), -1)[:, :n]        # (step, n)
        counts[r] = np.bincount((rows + n * np.arange(len(r))[:, None]).ravel(),
                                minlength=n * len(r)).reshape(len(r), n)
    return counts


@lru_cache(maxsize=2)
def _rows(n: int, resamples: int, seed: int) -> tuple[Tensor, ...]:
    """The rows of each resample, (n,) in ascending order."""
    return tuple(torch.arange(n).repeat_interleave(torch.from_numpy(row.astype(np.int64)))
                 for row in _multiplicities(n, resamples, seed, 0))


def _columns(scores: Scores) -> np.ndarray:
    columns = np.stack([np.asarray(x, np.float64) for x in (scores.numerator, scores.denominator)], 1)   # (n, 2)
    if not len(columns):
        raise ValueError("a metric of the whole set has no rows to resample: use set_interval")
    if not np.isfinite(columns).all() or columns[:, 1].sum() <= 0:
        raise ValueError("numerators and denominators must be finite and the latter sum to more than 0: the metric "
                         "has failed")
    return columns


def _ratios(columns: np.ndarray, resamples: int, seed: int, lane: int = 0) -> np.ndarray:
    numerator, denominator = resampled_sums(columns, resamples, seed, lane).T      # (1 + resamples,) each
    with np.errstate(divide="ignore", invalid="ignore"):  # interval() refuses what is not finite
        return numerator / denominator


def _differences(a: Scores, b: Scores, resamples: int, seed: int) -> np.ndarray:
    one, other = _columns(a), _columns(b)                                          # (n, 2), (n, 2)
    if len(one) != len(other):
        raise ValueError(f"{len(one)} rows cannot be paired with {len(other)}: score the rows that both arms share, or "
                         "say unpaired_difference")
    return _ratios(one, resamples, seed) - _ratios(other, resamples, seed)
