"""What one look of a sweep has shown of its trials so far, as tables, so that a trial is compared with all at once.

A trial is *beaten* if another is better in one objective and no worse in any, each beyond doubt: by so many standard
errors of the difference, which is paired by row (harness/stats/paired.py). A metric of the whole set has no rows, so
that nothing is beyond doubt.
"""

import math
from collections.abc import Sequence, Set

import numpy as np

from harness.kinds import Scores
from harness.stats.paired import centred


class Shown:
    def __init__(self, lower: Sequence[bool]):
        self.signs = np.array([1.0 if one else -1.0 for one in lower])             # (k,) so that less is better
        self.known: set[str] = set()
        self.keys: list[str] = []                   # of the trials that may beat another
        self.values = np.empty((0, len(lower)))     # (m, k)
        self.rows: list[list[np.ndarray]] = []      # m times k times (n,)

    def add(self, key: str, values: Sequence[Scores], beats: bool) -> None:
        """A trial, by the key of its cell; `beats`: whether it may beat another at all."""
        self.known.add(key)
        rows = [centred(value) for value in values]
        if not beats or any(part is None for part in rows):
            return
        self.keys.append(key)
        self.values = np.concatenate((self.values, [self.signs * [value.value for value in values]]))
        self.rows.append([part for part in rows if part is not None])

    def beaten(self, values: Sequence[Scores], by: Set[str], doubt: float) -> bool:
        """Whether one of these trials beats a trial that has shown these values."""
        mine = [centred(value) for value in values]
        gaps = self.signs * [value.value for value in values] - self.values        # (m, k)
        for other in np.flatnonzero((gaps >= 0).all(1) & (gaps > 0).any(1)):
            if self.keys[other] in by and all(
                gap >= doubt * error(a, b) for gap, a, b in zip(gaps[other], mine, self.rows[other])
            ):
                return True
        return False


def error(a: np.ndarray | None, b: np.ndarray) -> float:
    """Standard error of a difference of paired rows (n,), both centred."""
    if a is None or len(a) != len(b):
        return math.inf
    return float(np.std(a - b, ddof=1) / math.sqrt(len(a)))
