"""As many digits as an interval bears."""

from math import floor, isfinite, log10

import numpy as np


def digits(value: float, low: float = np.nan, high: float = np.nan) -> int:
    """Decimals: one or two significant digits of half the interval; without one, or one of no width, four significant
    digits of the value.
    """
    half = (high - low) / 2
    if half > 1e-9 * abs(value):
        return min(5, max(2 if abs(value) < 10 else 0, -floor(log10(half / 3))))
    return min(5, max(0, 3 - floor(log10(abs(value))))) if value else 0


def spell(value: float | None, low: float = np.nan, high: float = np.nan) -> dict | None:
    """`spelt` of a number; None for no number."""
    return None if value is None or not isfinite(value) else spelt(value, low, high)


def spelt(value: float, low: float = np.nan, high: float = np.nan) -> dict:
    """The number, and its interval where it has one of some width, as text."""
    places = digits(value, low, high)
    ends = [f"{end:.{places}f}" for end in (low, high)] if high - low > 1e-9 * abs(value) else None
    return {"value": f"{value:.{places}f}", "low": ends and ends[0], "high": ends and ends[1]}
