"""The forward-backward corrector (arXiv 2205.14987, as in arXiv 2503.00307): a step reveals twice what an ancestral one
does and takes half of it back.

    for n = 0 .. N-1:   t = 1 - n/N,  s = 1 - (n+1)/N
        sigma = (alpha_s - alpha_t)/alpha_t, at most sigma_max = min(1, (1 - alpha_s)/alpha_t)
        masked l:     x_l ~ p_l(. | x) with probability (alpha_s - (1 - sigma) alpha_t)/(1 - alpha_t)
        revealed l:   MASK with probability sigma

Without the bound the last step would reveal with probability 2. Law: P(l masked at s) = 1 - alpha_s at every step; the
joint law is biased by the factorisation inside a step and approaches the exact one as 1/N does. Cost: a pass for each
step in which a row reveals something.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from baselines._remask import Chances, Remasking, ends, revealing, sigma_max
from baselines.first_hitting import FirstHitting
from harness.param import Choice, Range, param
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial


@dataclass(frozen=True)
class ForwardBackward(Remasking):
    """The forward-backward corrector (arXiv 2205.14987, as in arXiv 2503.00307): a step reveals twice what an ancestral
    one does, and masks half of that again. Biased, and exact as N grows.
    """

    steps: int = param(64, Range(1, 4096, log=True), "N, equal steps in time")
    schedule: Linear | Cosine | Polynomial | Knots = param(Linear(), Choice(Linear(), Cosine(), Polynomial(), Knots()))

    name: ClassVar[str] = "forward_backward"
    version: ClassVar[int] = 1

    def exact(self) -> FirstHitting:
        return FirstHitting()    # the limit of many steps

    def chances(self, device) -> Chances:
        """reveal, forget and alpha_t of each step, (N,)."""
        alpha = self.schedule.alpha(ends(self.steps, device))                      # (N+1,)
        now, then = alpha[:-1], alpha[1:]
        sigma = torch.minimum((then - now) / now, sigma_max(now, then))  # the first is infinite at alpha_t = 0
        return revealing(sigma, now, then).clamp_max(1), sigma, now                # rounding can pass 1 by a bit
