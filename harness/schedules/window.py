"""Windows: how many tokens a row may write in one outer round, a pure function of its own i (arXiv 2510.03929; formulas
ours).

    cosine(delta)   tau_i = 2/pi arccos(1 - i/L) is the time at which a cosine-schedule model has revealed i tokens; the
                    window is what it reveals by tau_i + delta:  ceil(L (1 - cos(pi/2 min(1, tau_i + delta))) - 1e-9) -
                    i,  1..L-i
    linear(delta)   the same idea for the linear schedule: ceil(L delta - 1e-9)
    fixed(tokens)   a constant
    stairs(ends)    up to the next of given shares of the text: a searched grid
    open            all that is left

With L = 256 and delta = 0.01 the cosine window takes exactly 80 rounds if everything is accepted.

    >>> Cosine(0.083).width(torch.tensor([0, 3]), 256)
    tensor([3, 8])
"""

from dataclasses import dataclass
from functools import lru_cache
from math import pi
from typing import ClassVar

import torch
from torch import Tensor

from harness.param import Range, check, param


def widths(window, i: Tensor, length: int) -> Tensor:
    """window.width(i, length) of tokens revealed i (B,). On a device it is looked up in a table, which is made once a
    window, and 0 where i = length.
    """
    return window.width(i, length) if i.device.type == "cpu" else _table(window, length, i.device)[i]


@lru_cache(maxsize=64)
def _table(window, length: int, device: torch.device) -> Tensor:
    """(length + 1,)"""
    width = window.width(torch.arange(length, device=device), length)
    return torch.cat((width, width.new_zeros(1)))


def _clip(width: Tensor, i: Tensor, length: int) -> Tensor:
    return torch.minimum(width.long().clamp_min(1), length - i)


@dataclass(frozen=True)
class Cosine:
    """What a cosine schedule reveals in a step of `delta` in time, from the i tokens that are there. Windows are narrow
    where little is written and wide towards the end.
    """

    delta: float = param(0.02, Range(0.001, 1.0, log=True), "cosine window step")
    name: ClassVar[str] = "cosine"

    def __post_init__(self):
        check(self)

    def width(self, i: Tensor, length: int) -> Tensor:
        """i (B,) tokens revealed -> (B,) int64 tokens of the window, 1 to length - i."""
        tau = 2 / pi * torch.arccos(1 - i.double() / length)
        end = torch.ceil(length * (1 - torch.cos(pi / 2 * (tau + self.delta).clamp_max(1))) - 1e-9)
        return _clip(end - i, i, length)


@dataclass(frozen=True)
class Linear:
    """The share `delta` of the row in every round, rounded up: ceil(L delta) tokens."""

    delta: float = param(0.02, Range(0.001, 1.0, log=True))
    name: ClassVar[str] = "linear"

    def __post_init__(self):
        check(self)

    def width(self, i: Tensor, length: int) -> Tensor:
        """i (B,) tokens revealed -> (B,) int64: ceil(length delta), at most length - i."""
        return _clip(torch.ceil(torch.full_like(i, 1, dtype=torch.float64) * length * self.delta - 1e-9), i, length)


@dataclass(frozen=True)
class Fixed:
    """The same number of tokens in every round. Fixed(1) writes one token a round."""

    tokens: int = param(8, Range(1, 4096, log=True))
    name: ClassVar[str] = "fixed"

    def __post_init__(self):
        check(self)

    def width(self, i: Tensor, length: int) -> Tensor:
        """i (B,) tokens revealed -> (B,) int64: `tokens`, at most length - i."""
        return _clip(torch.full_like(i, self.tokens), i, length)


@dataclass(frozen=True)
class Stairs:
    """Up to the next of given shares of the row: a searched time grid as a window (harness/search/time_grid.py). Raises
    ValueError if `ends` do not rise from above 0 to 1.
    """

    ends: tuple[float, ...] = (0.5, 1.0)    # shares of the text at which passes end, the last 1
    name: ClassVar[str] = "stairs"

    def __post_init__(self):
        if not self.ends or self.ends[0] <= 0 or self.ends[-1] != 1 or any(a >= b for a,
                                                                           b in zip(self.ends, self.ends[1:])):
            raise ValueError(f"stairs: ends={self.ends} must rise, each above the one before, from above 0 to 1")

    def width(self, i: Tensor, length: int) -> Tensor:
        """i (B,) tokens revealed -> (B,) int64: the tokens from i to the next end behind it."""
        ends = torch.ceil(length * torch.tensor(self.ends, dtype=torch.float64, device=i.device) - 1e-9).long()
        return _clip(ends[torch.searchsorted(ends, i, right=True).clamp_max(len(ends) - 1)] - i, i, length)


@dataclass(frozen=True)
class Open:
    """All that is left of the row."""

    name: ClassVar[str] = "open"

    def width(self, i: Tensor, length: int) -> Tensor:
        """i (B,) tokens revealed -> (B,) int64: length - i."""
        return length - i
