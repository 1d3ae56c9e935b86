"""Tau-leaping (SEDD, arXiv 2310.16834; RADD, arXiv 2406.03736; compared in arXiv 2502.00234): the rates stand still
during a step.

    for n = 0 .. N-1:   t = 1 - n/N,  D = 1/N
        reveal l with probability 1 - exp(-D lambda(t));   x_l ~ p_l(. | x)    lambda as in baselines/_rates.py
    then draw what is left

The chance depends on no token, so the step of each position is drawn at the start, as in ancestral sampling, and only
the law of that step differs: `levels`. What is left falls in a step of its own behind the last; under the linear
schedule it is exp(-(1 + 1/2 + .. + 1/N)) of the tokens. Law: biased by the factorisation inside a step and by the time
at which a token falls, both of order 1 in the step; exact as N grows. Cost: distinct forwards, one more where something
is left.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from baselines._rates import leap, rate, reached, starts
from baselines.ancestral import Ancestral


@dataclass(frozen=True)
class TauLeaping(Ancestral):
    """Tau-leaping (SEDD, arXiv 2310.16834; RADD, arXiv 2406.03736): ancestral sampling whose rates stand still during a
    step. What the last step leaves is drawn in one more pass. Biased, and exact as N grows.
    """

    name: ClassVar[str] = "tau_leaping"
    version: ClassVar[int] = 1

    def reveal(self, t: Tensor, span: float) -> Tensor:
        """P(a token masked at t is revealed in a step of this span)."""
        return leap(rate(self.schedule, t), span)

    def levels(self, device) -> Tensor:
        """Expected share revealed at the ends of the steps, (N,) ascending."""
        return reached(self.reveal(starts(self.steps, device), 1 / self.steps))
