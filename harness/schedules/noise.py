"""Noise schedules: alpha(t) is the probability that a token is not masked at time t; alpha(0) = 1, alpha(1) = 0.

    linear        alpha = 1 - t                        also called log-linear (arXiv 2406.07524)
    cosine        alpha = 1 - cos(pi/2 (1 - t))        (arXiv 2406.04329)
    polynomial    alpha = 1 - t**exponent              (arXiv 2406.04329)
    knots         straight lines between given alphas  a searched time grid

A network without clock sees only the sequence of alphas: linear alpha on a cosine time grid *is* cosine alpha on a
uniform grid. Samplers here use uniform grids, so the schedule says it all.

    >>> Cosine().alpha(torch.tensor([0.0, 1.0]))
    tensor([1., 0.])
"""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from torch import Tensor

from harness.param import Range, check, param


@dataclass(frozen=True)
class Linear:
    """alpha falls in a straight line, which some papers call log-linear (arXiv 2406.07524)."""

    name: ClassVar[str] = "linear"

    def alpha(self, t: Tensor) -> Tensor:
        """t (...) in [0, 1] -> (...) the probability that a token is not masked, 1 - t."""
        return 1 - t

    def dalpha(self, t: Tensor) -> Tensor:
        """t (...) -> (...) the slope of alpha, -1."""
        return -torch.ones_like(t)

    def inverse(self, alpha: Tensor) -> Tensor:
        """alpha (...) -> (...) the time at which it is reached, 1 - alpha."""
        return 1 - alpha


@dataclass(frozen=True)
class Cosine:
    """alpha = 1 - cos(pi/2 (1 - t)): few tokens are revealed in early steps, many in late ones (arXiv 2406.04329)."""

    name: ClassVar[str] = "cosine"

    def alpha(self, t: Tensor) -> Tensor:
        """t (...) in [0, 1] -> (...) the probability that a token is not masked; exactly 0 at t = 1."""
        return torch.where(t >= 1, 0, 1 - torch.sin(pi / 2 * t))

    def dalpha(self, t: Tensor) -> Tensor:
        """t (...) -> (...) the slope of alpha, -pi/2 cos(pi/2 t)."""
        return -pi / 2 * torch.cos(pi / 2 * t)

    def inverse(self, alpha: Tensor) -> Tensor:
        """alpha (...) -> (...) the time at which it is reached, in [0, 1]."""
        return 2 / pi * torch.asin((1 - alpha).clamp(0, 1))


@dataclass(frozen=True)
class Polynomial:
    """alpha = 1 - t**exponent (arXiv 2406.04329). Exponent 1 is the linear schedule."""

    exponent: float = param(2.0, Range(0.25, 4.0, log=True))
    name: ClassVar[str] = "polynomial"

    def __post_init__(self):
        check(self)

    def alpha(self, t: Tensor) -> Tensor:
        """t (...) in [0, 1] -> (...) the probability that a token is not masked."""
        return 1 - t**self.exponent

    def dalpha(self, t: Tensor) -> Tensor:
        """t (...) -> (...) the slope of alpha; infinite at t = 0 where the exponent is below 1."""
        return -self.exponent * t ** (self.exponent - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        """alpha (...) -> (...) the time at which it is reached."""
        return (1 - alpha) ** (1 / self.exponent)


@dataclass(frozen=True)
class Knots:
    """alpha at equally spaced times from 1 down to 0, straight lines between: with N + 1 knots, N steps of any host end
    at these alphas.
    """

    alphas: tuple[float, ...] = (0.0, 1.0)
    name: ClassVar[str] = "knots"

    def __post_init__(self):
        if (
            len(self.alphas) < 2
            or self.alphas[0] != 0
            or self.alphas[-1] != 1
            or any(a >= b for a, b in zip(self.alphas, self.alphas[1:]))
        ):
            raise ValueError(f"knots: alphas={self.alphas} must rise from 0 to 1, each above the one before")

    def alpha(self, t: Tensor) -> Tensor:
        """t (...) in [0, 1] -> (...) the probability that a token is not masked, between the two nearest knots."""
        return _between(torch.tensor(self.alphas, dtype=torch.float64, device=t.device),
                        (1 - t) * (len(self.alphas) - 1)).to(t.dtype)

    def dalpha(self, t: Tensor) -> Tensor:
        """t (...) -> (...) the slope of alpha; at a knot that of the line towards t = 0."""
        steps, last = torch.tensor(self.alphas, dtype=torch.float64, device=t.device).diff(), len(self.alphas) - 2
        return -(steps[((1 - t) * (last + 1)).long().clamp(0, last)] * (last + 1)).to(t.dtype)

    def inverse(self, alpha: Tensor) -> Tensor:
        """alpha (...) -> (...) the time at which it is reached."""
        knots = torch.tensor(self.alphas, dtype=torch.float64, device=alpha.device)
        k = (torch.searchsorted(knots, alpha.double(), right=True) - 1).clamp(0, len(knots) - 2)
        return (1 - (k + (alpha - knots[k]) / (knots[k + 1] - knots[k])) / (len(knots) - 1)).to(alpha.dtype)


def _between(knots: Tensor, place: Tensor) -> Tensor:
    """knots (K,) at a place between 0 and K - 1."""
    k = place.long().clamp(0, len(knots) - 2)
    return knots[k] + (place - k) * (knots[k + 1] - knots[k])


def reveal_probability(schedule: Linear | Cosine | Polynomial | Knots, t: Tensor, s: Tensor) -> Tensor:
    """P(a token masked at t is revealed by the earlier time s < t) = (alpha_s - alpha_t) / (1 - alpha_t)."""
    return (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))
