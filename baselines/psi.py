"""Psi-samplers (arXiv 2602.21185): a step is ancestral with weight kappa, and with the rest it noises a full prediction
anew.

    for n = 0 .. N-1:   t = 1 - n/N,  s = 1 - (n+1)/N;      for each l, the first line with probability
                        kappa, else the second
        masked l:  x_l ~ p_l(. | x) with probability (alpha_s - alpha_t)/(1 - alpha_t);     revealed l:  stays
        masked l:  x_l ~ p_l(. | x) with probability alpha_s;    revealed l:  MASK with probability 1 - alpha_s

The same as ReMDM with sigma = (1 - kappa)(1 - alpha_s) (ours); kappa = 1 is ancestral sampling bit for bit. In the
paper kappa may depend on t, here it is one number. Law: P(l masked at s) = 1 - alpha_s at every step; the joint law is
biased by the factorisation inside a step and approaches the exact one as N grows, in the end as its root. Cost: a pass
for each step in which a row reveals something.
"""

from dataclasses import dataclass
from typing import ClassVar

from baselines._remask import Chances, Remasking, ends
from baselines.first_hitting import FirstHitting
from harness.param import Choice, Range, param
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial, reveal_probability


@dataclass(frozen=True)
class Psi(Remasking):
    """Psi-samplers (arXiv 2602.21185): each place takes an ancestral step with probability `kappa`, else a full
    prediction that is noised anew. kappa = 1 is ancestral sampling bit for bit. Biased, and exact as N grows.
    """

    steps: int = param(64, Range(1, 4096, log=True), "N, equal steps in time")
    kappa: float = param(0.99, Range(0.0, 1.0), "weight of the ancestral step")
    schedule: Linear | Cosine | Polynomial | Knots = param(Linear(), Choice(Linear(), Cosine(), Polynomial(), Knots()))

    name: ClassVar[str] = "psi"
    version: ClassVar[int] = 1

    def exact(self) -> FirstHitting:
        return FirstHitting()    # the limit of many steps

    def chances(self, device) -> Chances:
        """reveal, forget and alpha_t of each step, (N,)."""
        t = ends(self.steps, device)
        anew = self.schedule.alpha(t[1:])                                          # (N,) alpha_s
        ancestral = reveal_probability(self.schedule, t[:-1], t[1:])               # (N,)
        return anew + self.kappa * (ancestral - anew), (1 - self.kappa) * (1 - anew), self.schedule.alpha(t[:-1])
