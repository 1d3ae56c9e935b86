"""What the rate solvers share: the rate at which a masked token is revealed, and what a leap at a fixed rate reveals.

    rate of revealing l as v:   mu_l(v; x, t) = p_l(v | x) lambda(t),     lambda(t) = -alpha'_t / (1 - alpha_t)

Under the linear schedule lambda(t) = 1/t. All masked tokens share the sum over v, which depends on no token.
"""

import torch
from torch import Tensor

from harness.schedules.noise import Cosine, Knots, Linear, Polynomial

HAIR = 1e-9


def rate(schedule: Linear | Cosine | Polynomial | Knots, t: Tensor) -> Tensor:
    """lambda(t) at t > 0, a hair behind t: knots bend where steps start."""
    return -schedule.dalpha((t - HAIR).clamp_min(0)) / (1 - schedule.alpha(t))


def leap(rates: Tensor, span: Tensor | float) -> Tensor:
    """P(revealed within a span of time at fixed rates)."""
    return -torch.expm1(-rates * span)


def starts(steps: int, device) -> Tensor:
    """t at the starts of the steps, (N,) from 1 down to 1/N."""
    return torch.arange(steps, 0, -1, dtype=torch.float64, device=device) / steps


def reached(reveal: Tensor) -> Tensor:
    """Share revealed at the ends of the steps, from the chance of each step: (N,) ascending, below 1 if some may be
    left over.
    """
    return 1 - (1 - reveal).cumprod(0)
