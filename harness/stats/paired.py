"""Two settings on the same rows: how far apart their scores are, and how sure that is."""

import math

import numpy as np

from harness.kinds import Scores


def difference(a: Scores, b: Scores) -> tuple[float, float]:
    """a - b and its standard error over their rows, which share their seeds; a metric of the whole set has no rows, so
    its error may be anything.
    """
    if not len(a.numerator) or len(a.numerator) != len(b.numerator) or len(a.numerator) < 2:
        return a.value - b.value, math.inf
    # (n,) each, of mean 0
    rows = [(np.asarray(x.numerator) - x.value * np.asarray(x.denominator)) / np.mean(x.denominator) for x in (a, b)]
    return a.value - b.value, float(np.std(rows[0] - rows[1], ddof=1) / math.sqrt(len(rows[0])))
