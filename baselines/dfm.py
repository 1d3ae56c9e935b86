"""The corrector of discrete flow matching (arXiv 2407.15595, as in arXiv 2503.00307): both ways at raised rates, in
steps that adapt to them.

    t = 1;   while t > 1e-5:
        b = c t^(1/4) (1-t)^(1/4),  a = b + 1,    D = min(1/N, 1/(a/t + b/(1-t)))
        masked l:   x_l ~ p_l(. | x) with probability a D/t;      revealed l:   MASK with probability b D/(1-t)
        t = t - D                                      b/(1-t) = 0 at t = 1, where nothing is revealed
    then draw what is left

For the linear schedule, alpha_t = 1 - t. Near both ends the rates ask for steps below 1/N, so there are more than N:
146 for N = 128, 1,032 for 1,024. Law: P(l masked at t) = t at every step; the joint law is biased by the factorisation
inside a step and approaches the exact one as 1/N does. Cost: a pass for each step in which a row reveals something.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch

from baselines._remask import Chances, Remasking
from baselines.first_hitting import FirstHitting
from harness.param import Range, param

LEAST = 1e-5    # the time at which what is left is drawn


@lru_cache
def grid(steps: int, strength: float) -> tuple[tuple[float, float, float], ...]:
    """reveal, forget and alpha_t of each step; the last reveals what is left."""
    t, found = 1.0, []
    while t > LEAST:
        b = strength * (t * (1 - t)) ** 0.25
        up, down = (b + 1) / t, b / (1 - t) if t < 1 else 0.0
        span = min(1 / steps, 1 / (up + down))
        found.append((up * span, down * span, 1 - t))
        t -= span
    return *found, (1.0, 0.0, 1 - max(t, 0.0))


@lru_cache(maxsize=16)
def on_device(steps: int, strength: float, device: torch.device) -> Chances:
    """The same, (K,) each: copied to a device once, not in every round."""
    reveal, forget, alpha = torch.tensor(grid(steps, strength), dtype=torch.float64, device=device).unbind(1)
    return reveal, forget, alpha


@dataclass(frozen=True)
class DFM(Remasking):
    """The corrector of discrete flow matching, which reveals and masks again at raised rates (arXiv 2407.15595, as in
    arXiv 2503.00307). For the linear schedule. There are more than `steps` steps, since both ends ask for shorter ones.
    Biased, and exact as N grows.
    """

    steps: int = param(64, Range(1, 4096, log=True), "N: no step is longer than 1/N")
    strength: float = param(10.0, Range(0.0, 100.0), "c, of the corrector")

    name: ClassVar[str] = "dfm"
    version: ClassVar[int] = 1

    def exact(self) -> FirstHitting:
        return FirstHitting()    # the limit of many steps

    def chances(self, device) -> Chances:
        """reveal, forget and alpha_t of each step, (K,)."""
        return on_device(self.steps, self.strength, torch.device(device))
