"""Two settings on the same rows: how far apart their scores are, and how sure that is."""

import math

import numpy as np

from harness.kinds import Scores


def centred(scores: Scores) -> np.ndarray | None:
    """(n,) What each row adds to the score, less their mean; None for a metric of the whole set, or of fewer than two
    rows.
    """
    if len(scores.numerator) < 2:
        return None
    return (np.asarray(scores.numerator) - scores.value * np.asarray(scores.denominator)) / np.mean(scores.denominator)


def difference(a: Scores, b: Scores) -> tuple[float, float]:
    """a - b and its standard error over their rows, which share their seeds; a metric of the whole set has no rows, so
    its error may be anything.
    """
    rows = centred(a), centred(b)
    if rows[0] is None or rows[1] is None or len(rows[0]) != len(rows[1]):
        return a.value - b.value, math.inf
    return a.value - b.value, float(np.std(rows[0] - rows[1], ddof=1) / math.sqrt(len(rows[0])))
