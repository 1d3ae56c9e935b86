"""The width of a stored window, from its name and settings alone: how many tokens may come next when i of `length` are
there.

The formulas are those of harness/schedules/window.py; a test holds them against the windows themselves. A window of
another name has no width here.
"""

import numpy as np


def width(window: dict, i: np.ndarray, length: int) -> np.ndarray | None:
    """i (k,) revealed -> (k,) widths, 1..length - i; None for a window that is not known."""
    match window:
        case {"name": "cosine", "delta": delta}:
            tau = 2 / np.pi * np.arccos(1 - i / length)
            wide = np.ceil(length * (1 - np.cos(np.pi / 2 * np.minimum(1, tau + delta))) - 1e-9) - i
        case {"name": "linear", "delta": delta}:
            wide = np.full(len(i), np.ceil(length * delta - 1e-9))
        case {"name": "fixed", "tokens": tokens}:
            wide = np.full(len(i), float(tokens))
        case {"name": "stairs", "ends": ends}:
            steps = np.ceil(length * np.array(ends) - 1e-9)  # (s,) tokens
            wide = np.where(steps > i[:, None], steps, length).min(1) - i
        case {"name": "open"}:
            wide = length - i
        case _:
            return None
    return np.minimum(np.maximum(wide, 1), length - i).astype(np.int64)


def by_tenth(window: dict, length: int) -> list[float] | None:
    """Mean width over the places of each tenth of the sequence."""
    i = np.arange(length)
    found = width(window, i, length)
    return (
        None
        if found is None
        else [
            float(found[i * 10 // length == tenth].mean()) if (i * 10 // length == tenth).any() else np.nan
            for tenth in range(10)
        ]
    )
