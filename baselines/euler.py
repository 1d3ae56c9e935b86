"""Euler steps of the reverse rates (SEDD, arXiv 2310.16834; RADD, arXiv 2406.03736): the chance of a reveal is linear
in the step.

    for n = 0 .. N-1:   t = 1 - n/N,  D = 1/N
        reveal l with probability D lambda(t), at most 1;   x_l ~ p_l(. | x)    lambda as in baselines/_rates.py
    then draw what is left

The chance depends on no token, so the step of each position is drawn at the start, as in ancestral sampling, and only
the law of that step differs: `levels`. What is left falls in a step of its own behind the last. Under the linear
schedule D lambda(t) = D/t is the chance of ancestral sampling: the two are equal bit for bit. (SEDD's Tweedie step is
ancestral sampling under every schedule, for a network without clock; it has no file of its own.) Law: biased by the
factorisation inside a step and by the time at which a token falls, both of order 1 in the step; exact as N grows. Cost:
distinct forwards, one more where something is left.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from baselines._rates import rate, reached, starts
from baselines.ancestral import Ancestral


@dataclass(frozen=True)
class Euler(Ancestral):
    """Euler steps of the reverse rates (SEDD, arXiv 2310.16834; RADD, arXiv 2406.03736): ancestral sampling in which
    the chance of a reveal is linear in the step. What the last step leaves is drawn in one more pass. Under the linear
    schedule it is ancestral sampling bit for bit.
    """

    name: ClassVar[str] = "euler"
    version: ClassVar[int] = 1

    def reveal(self, t: Tensor, span: float) -> Tensor:
        """P(a token masked at t is revealed in a step of this span)."""
        return (span * rate(self.schedule, t)).clamp_max(1)

    def levels(self, device) -> Tensor:
        """Expected share revealed at the ends of the steps, (N,) ascending."""
        return reached(self.reveal(starts(self.steps, device), 1 / self.steps))
