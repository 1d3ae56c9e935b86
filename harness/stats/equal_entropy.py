"""Likelihood at equal passes and equal entropy: what is left of an arm's gain once the part that low entropy buys is
taken off.

The entropy is that of the letters of a row. It moves with the temperature, and sees nothing of their order: shuffled
text has that of text. So this takes off what a cooler sampler gains, and nothing else; a loss of diversity is seen by
harness/metrics/ngram_kl.py.

Text of lower entropy is likelier under any judge. What entropy buys is read off the baseline itself, at its temperature
and at a lower one, at the same settings: slope = (nats when cooler - nats) / (entropy when cooler - entropy). An arm is
read at the passes of the baseline, between its two neighbouring points in ln(passes), and its gap is (its nats - the
baseline's) - slope * (its entropy - the baseline's). Below zero it is better than the baseline of that entropy.

    >>> abs(float(gap(np.array([2.4, 2.7, 2.5, 2.75, 2.3, 2.65]))))    # half of the way to the cooler baseline in both
    0.0
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from harness.stats.intervals import Interval, interval, resampled_sums

NEAR = 0.02     # of the passes asked for: a point so near is taken as it is
APART = 1.10  # dearer over cheaper: between points further apart nothing is read, since no setting need lie on the line


class Gap(NamedTuple):
    """How much less likely an arm is than its baseline at equal passes and entropy, in nats a token: below zero it is
    better.
    """

    nats: Interval
    judge: tuple[float, ...]    # nats a token of the arm, of the baseline, of the cooler baseline
    entropy: tuple[float, ...]


def gap(means: np.ndarray) -> np.ndarray:
    """(..., 6) nats and entropy of the arm, of the baseline, of the cooler baseline -> (...)."""
    arm, arm_entropy, base, base_entropy, cool, cool_entropy = np.moveaxis(means, -1, 0)
    return np.round((arm - base) - (cool - base) / (cool_entropy - base_entropy) * (arm_entropy - base_entropy), 12)


def at(points: Sequence[tuple[float, str]], read: Callable[[str], np.ndarray | None], passes: float,
       near: float = NEAR) -> np.ndarray | None:
    """An arm's rows at so many passes, from its points (cost, key), by rising cost: one that is near, or two that
    enclose it within APART, joined in ln(cost); else None.
    """
    for cost, key in points:
        if abs(cost / passes - 1) < near:
            return read(key)
    above = next((k for k, (cost, _) in enumerate(points) if cost > passes), 0)
    if not above:
        return None
    (less, one), (more, other) = points[above - 1], points[above]
    if more / less > APART:
        return None
    share, low, high = np.log(passes / less) / np.log(more / less), read(one), read(other)
    return None if low is None or high is None else (1 - share) * low + share * high


def compared(arm: np.ndarray, base: np.ndarray, cool: np.ndarray, resamples: int = 2000) -> Gap | None:
    """Each (n, 2), nats and entropy of rows that share their seeds. None if the cooler baseline has not the lower
    entropy in every resample.
    """
    n = len(arm)
    sums = resampled_sums(np.concatenate([arm, base, cool], 1), resamples, 0)    # (1 + resamples, 6)
    if (sums[:, 5] >= sums[:, 3]).any():
        return None
    gaps, means = gap(sums / n), tuple(float(m) for m in sums[0] / n)
    return Gap(interval(gaps[0], gaps[1:].tolist(), n, 0.95), means[::2], means[1::2])
