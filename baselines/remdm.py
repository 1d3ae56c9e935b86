"""ReMDM (arXiv 2503.00307): ancestral sampling in which revealed tokens may be masked again, so that no token is final
before the end.

    for n = 0 .. N-1:   t = 1 - n/N,  s = 1 - (n+1)/N,   sigma_max = min(1, (1 - alpha_s)/alpha_t)
        masked l:     x_l ~ p_l(. | x) with probability (alpha_s - (1 - sigma) alpha_t)/(1 - alpha_t)
        revealed l:   MASK with probability sigma

    cap       sigma = min(eta, sigma_max)
    rescale   sigma = eta sigma_max
    loop      sigma = eta, at most sigma_max, for t in (off, on], where alpha stands still;  0 before, while alpha rises
              to there, and after, while it rises to 1

Strategy conf is baselines/remdm_conf.py. Law: P(l masked at s) = 1 - alpha_s at every step; the joint law is biased by
the factorisation inside a step. cap and rescale forget their early errors too: they come near the exact law as N grows,
first to a distance of order eta and then with the root of N. loop stays at such a distance for ever. Without forgetting
(eta = 0; cap and rescale) it is ancestral sampling bit for bit. Cost: a pass for each step in which a row reveals
something.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines._remask import Chances, Remasking, ends, revealing, sigma_max
from baselines.first_hitting import FirstHitting
from harness.param import Choice, Range, check, param
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial


class Strategy:
    """How much a step forgets, and when: sigma from sigma_max and t, and the time at which the schedule is read."""

    approaches: ClassVar[bool] = True    # the exact law, as N grows

    def __post_init__(self):
        check(self)

    def time(self, t: Tensor) -> Tensor:
        """t (...) -> (...) the time at which the schedule is read, t itself here."""
        return t


@dataclass(frozen=True)
class Cap(Strategy):
    """A step forgets with probability `eta`, or sigma_max where that is less."""

    eta: float = param(0.008, Range(0.0, 1.0), "the most that a step forgets")
    name: ClassVar[str] = "cap"

    def sigma(self, most: Tensor, t: Tensor) -> Tensor:
        """most (N,), which is sigma_max, and t (N,) of each step -> (N,) the chance that a revealed token is masked
        again.
        """
        return most.clamp_max(self.eta)


@dataclass(frozen=True)
class Rescale(Strategy):
    """A step forgets with probability `eta` sigma_max."""

    eta: float = param(0.015, Range(0.0, 1.0), "share of sigma_max")
    name: ClassVar[str] = "rescale"

    def sigma(self, most: Tensor, t: Tensor) -> Tensor:
        """most (N,), which is sigma_max, and t (N,) of each step -> (N,) the chance that a revealed token is masked
        again.
        """
        return self.eta * most


@dataclass(frozen=True)
class Loop(Strategy):
    """Forgetting in one stretch of time alone, t in (off, on], while alpha stands still. It has no exact limit. Raises
    ValueError where `off` lies above `on`.
    """

    eta: float = param(0.02, Range(0.0, 1.0), "sigma while alpha stands still")
    on: float = param(0.55, Range(0.01, 0.99), "t at which alpha comes to stand")
    off: float = param(0.05, Range(0.01, 0.99), "t at which it goes on, at most `on`")
    held: float = param(0.1, Range(0.01, 0.99), "1 - alpha in between, under the linear schedule")
    name: ClassVar[str] = "loop"
    approaches: ClassVar[bool] = False

    def __post_init__(self):
        check(self)
        if self.off > self.on:
            raise ValueError(f"Loop: t falls, so off={self.off} cannot lie above on={self.on}; choose a smaller one")

    def time(self, t: Tensor) -> Tensor:
        """t (...) -> (...) the time at which the schedule is read: `held` throughout the loop, and on straight lines to
        1 before it and to 0 behind it.
        """
        before, after = (
            self.held + (1 - self.held) * (t - self.on) / (1 - self.on),
            self.held * (t / self.off).clamp_max(1),
        )
        return torch.where(t > self.on, before, after)

    def sigma(self, most: Tensor, t: Tensor) -> Tensor:
        """most (N,), which is sigma_max, and t (N,) of each step -> (N,) the chance that a revealed token is masked
        again: 0 outside the loop.
        """
        return torch.where((self.off < t) & (t <= self.on), most.clamp_max(self.eta), 0)


@dataclass(frozen=True)
class ReMDM(Remasking):
    """ReMDM (arXiv 2503.00307): ancestral sampling in which revealed tokens may be masked again, by `strategy`. A round
    is the next step that reveals something. Biased; exact as N grows but for the strategy loop.
    """

    steps: int = param(64, Range(1, 4096, log=True), "N, equal steps in time")
    strategy: Cap | Rescale | Loop = param(Cap(), Choice(Cap(), Rescale(), Loop()), "how much is forgotten")
    schedule: Linear | Cosine | Polynomial | Knots = param(Linear(), Choice(Linear(), Cosine(), Polynomial(), Knots()))

    name: ClassVar[str] = "remdm"
    version: ClassVar[int] = 1

    def exact(self) -> FirstHitting | None:
        return FirstHitting() if self.strategy.approaches else None

    def chances(self, device) -> Chances:
        """reveal, forget and alpha_t of each step, (N,)."""
        t = ends(self.steps, device)                                               # (N+1,)
        alpha = self.schedule.alpha(self.strategy.time(t))                         # (N+1,)
        now, then = alpha[:-1], alpha[1:]
        sigma = self.strategy.sigma(sigma_max(now, then), t[:-1])
        return revealing(sigma, now, then).clamp_max(1), sigma, now                # rounding can pass 1 by a bit
