"""The currency of samplers, each number defined once: tokens per forward, accept length, acceptance by depth, order.

    T       tokens that a row generated, up to and with its first end symbol (harness/sampling/written.py)
    TPF     sum of T over rows / sum of passes over rows. Denoise passes are one denominator, all passes the other:
            those that verify, commit or branch too, each as one whatever it costs
    accept length    drafts that passed a test, over tests; with what a test writes beside them: the token in the place
            of a rejected draft, or a bonus token behind a window that passed whole
    acceptance by depth    of the drafts that were tested at a depth, the share that passed: conditional, not survival
    order   Kendall's tau-b of the step in which a place was written against its position

    >>> tpf([10, 4], [2, 4])
    2.3333333333333335
    >>> conditional([1, 0, 0])
    [1.0, 0.0, None]
"""

from collections.abc import Sequence

import numpy as np

Column = Sequence[float] | np.ndarray


def tpf(tokens: Column, passes: Column) -> float:
    """Tokens (n,) of rows and passes (n,) of theirs -> the ratio of the sums. Its interval is ratio_interval's."""
    return float(np.asarray(tokens).sum() / np.asarray(passes).sum())


def accept_length(kept: float, tests: float, beside: float = 0.0) -> float | None:
    """Drafts kept in all tests, tests, and what was written beside -> tokens a test; None where nothing was tested."""
    return (kept + beside) / tests if tests else None


def by_depth(tested: Sequence[int], passed: Sequence[int]) -> list[tuple[float | None, int]]:
    """Of each depth the share that passed and how many were tested; None where none was."""
    return [(p / t if t else None, int(t)) for t, p in zip(tested, passed, strict=True)]


def conditional(survival: Sequence[float]) -> list[float | None]:
    """S(i), the share of windows whose first i drafts all passed -> S(i) / S(i-1), and None where no draft came so far.
    What some programs print as acceptance by position is S.
    """
    return [s / before if before else None for s, before in zip(survival, (1.0, *survival))]


def tau_b(order: Column, untied: Column, written: Column) -> np.ndarray:
    """Kendall's S (n,), untied pairs (n,) and places written (n,) of rows -> tau-b (n,), NaN where all was written in
    one step.
    """
    s, u, m = (np.asarray(column, float) for column in (order, untied, written))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(u > 0, s / np.sqrt(u * m * (m - 1) / 2), np.nan)


def empty(tokens: Column) -> float:
    """The share of rows (n,) that generated one token or none."""
    return float((np.asarray(tokens) <= 1).mean())
