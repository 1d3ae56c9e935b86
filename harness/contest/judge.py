"""What pairs of processes show: intervals of NEW over BASE's seconds, when to look at them, and what they decide.

A block is a pair of fresh processes, one of each tree, that were timed in turns; a block's ratio is one unit, whatever
its repetitions. Logarithms of ratios are held to Student's law. A contest looks at its blocks a few times and ends at
the first look that decides, so that every look has its share of the level:

    a slow-down    LEVEL is an upper bound on the probability of any false one: it is divided among the looks, then the
                   measures (the one that decides, and the wall clock), then half to the ratio over all cells and half
                   among the cells (Bonferroni, which holds however they depend on each other)
    its absence    every cell, and all together, below the threshold in the measure that decides; each is tested at
                   LEVEL over the looks, since all must pass

Both are of the threshold: trees that are equal lie below it, so that fewer of them raise an alarm than LEVEL says.
"""

from math import ceil, exp, log
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from harness.stats.intervals import FEWEST_PROCESSES

LEVEL, LOOKS, POWER = 0.01, 4, 0.8
MEASURES = ("instructions", "cpu", "wall")    # the first that was measured decides
NAMES = {"instructions": "instructions", "cpu": "CPU seconds", "wall": "wall seconds"}


class Ratio(NamedTuple):
    """Of one cell, or of all, in one measure."""

    value: float
    low: float       # below it no slow-down is excluded ...
    high: float      # ... and above it none is left, each at its share of the level
    outcome: str     # slower | not slower | faster | not shown


class Judged(NamedTuple):
    measure: str                           # that decides
    cells: dict[str, dict[str, Ratio]]     # by cell and measure
    whole: dict[str, Ratio]                # by measure, over all cells
    end: str                               # regression | no regression | not shown
    seen: float                            # the ratio over all cells that such a contest finds four times in five


def looks(blocks: int) -> tuple[int, ...]:
    """After which blocks to look, of at most so many: the fewest that decide, the last, and some between, each by about
    the same factor later."""
    if blocks < FEWEST_PROCESSES:
        return ()
    step = (blocks / FEWEST_PROCESSES) ** (1 / (LOOKS - 1))
    return tuple(sorted({min(blocks, ceil(FEWEST_PROCESSES * step**k - 1e-9)) for k in range(LOOKS)}))


def decider(measures: list[str], device: str) -> str:
    """The steadiest that was measured; on an accelerator the wall clock, since its work takes no time of the CPU."""
    return "wall" if not device.startswith("cpu") else next(name for name in MEASURES if name in measures)


def judged(
    logs: dict[str, dict[str, list[float]]], bounds: dict[str, float], bound: float, count: int, device: str = "cpu"
) -> Judged:
    """logs: by cell and measure, one of each block; bounds: the thresholds of the cells, `bound` that of all; count: of
    looks in this contest."""
    measures = list(next(iter(logs.values())))
    first = decider(measures, device)
    tests = {first, "wall"}
    alone = len(logs) == 1
    share = LEVEL / count / len(tests)
    cells: dict[str, dict[str, Ratio]] = {
        cell: {
            m: _ratio(x, bounds[cell], share if alone else share / 2 / len(logs), LEVEL / count, m in tests)
            for m, x in own.items()
        }
        for cell, own in logs.items()
    }
    means = {m: np.mean([own[m] for own in logs.values()], 0) for m in measures}
    whole = {m: _ratio(x, bound, share if alone else share / 2, LEVEL / count, m in tests) for m, x in means.items()}
    every = [whole, *cells.values()]
    slower = any(ratios[m].outcome == "slower" for ratios in every for m in tests)
    absent = all(ratios[first].outcome in ("not slower", "faster") for ratios in every)
    end = "regression" if slower else "no regression" if absent else "not shown"
    error, df = _error(means[first]), len(means[first]) - 1
    seen = bound * exp(error * (stdtrit(df, 1 - (share if alone else share / 2)) + stdtrit(df, POWER)))
    return Judged(first, cells, whole, end, seen)


def _ratio(logs: "np.ndarray | list[float]", bound: float, slow: float, absent: float, tested: bool) -> Ratio:
    """slow, absent: one-sided levels of the lower and of the upper end."""
    x = np.asarray(logs, np.float64)
    mean, error, df = float(x.mean()), _error(x), len(x) - 1
    low, high = mean - error * stdtrit(df, 1 - slow), mean + error * stdtrit(df, 1 - absent)
    edge = log(bound)
    outcome = "slower" if low > edge else "faster" if high < -edge else "not slower" if high < edge else "not shown"
    return Ratio(exp(mean), exp(low), exp(high), outcome if tested or outcome != "slower" else "not shown")


def _error(logs: "np.ndarray | list[float]") -> float:
    x = np.asarray(logs, np.float64)
    return float(x.std(ddof=1)) / len(x) ** 0.5
