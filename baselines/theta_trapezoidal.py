"""The theta-trapezoidal method (arXiv 2502.00234; coefficients ours): two leaps a step, the second at extrapolated
rates.

    for n = 0 .. N-1:   t = 1 - n/N,  D = 1/N,  rho = t - theta D
        1. leap theta D from x at rates mu(., x, t)  ->  x'
        2. leap (1 - theta) D from x' at rates max(0, a1 mu(., x', rho) - a2 mu(., x, t));    token ~ these rates
    then draw what is left
    a1 = 1/(2 theta (1-theta)),  a2 = ((1-theta)^2 + theta^2)/(2 theta (1-theta))

mu = p lambda as in baselines/_rates.py. The rates of stage 2 depend on the network, but their sum is at most a1
lambda(rho): where a leap at that bound would fall is drawn ahead, and kept with probability (what the rates
reveal)/(what the bound reveals). So a round is the next step in which something may fall, of one pass or two: the law
of the box without its empty passes. Law: exact as N grows; of order 2 in the step, in time and in factorisation, as
long as max(0, .) cuts nothing off; of order 1 where it does, with a token that x' makes less likely than x did by more
than a2/a1. Cost: at most 2 N forwards, one more where something is left.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines._ahead import hazards, next_step
from baselines._rates import leap, rate, starts
from baselines.first_hitting import FirstHitting
from harness.kinds import Rows
from harness.nets.wrap import numbers
from harness.param import Choice, Range, check, param
from harness.random import Stream, categorical, from_logits, uniform
from harness.sampling.reveal import anew, fill, foreseen, positions, probabilities, reveal_times
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial


@dataclass(frozen=True)
class ThetaTrapezoidal:
    """The theta-trapezoidal method (arXiv 2502.00234; coefficients ours): two leaps a step, the second at extrapolated
    rates. At most two passes a step, and one more for what is left. Exact as N grows, of second order in the step where
    no extrapolated rate falls below 0.
    """

    steps: int = param(64, Range(1, 4096, log=True), "N, equal steps in time")
    theta: float = param(0.5, Range(0.1, 0.9), "share of a step before the second look")
    schedule: Linear | Cosine | Polynomial | Knots = param(Linear(), Choice(Linear(), Cosine(), Polynomial(), Knots()))

    name: ClassVar[str] = "theta_trapezoidal"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> FirstHitting:
        return FirstHitting()    # the limit of many steps

    def weights(self) -> tuple[float, float]:
        """The weights of the rates that stage 2 extrapolates from: a1, a2; a1 - a2 = 1."""
        twice = 2 * self.theta * (1 - self.theta)
        return 1 / twice, ((1 - self.theta) ** 2 + self.theta**2) / twice

    def most(self, t: Tensor, span: float) -> tuple[Tensor, Tensor]:
        """What stage 1 reveals of what is masked at t, and the most that stage 2 does."""
        return leap(rate(self.schedule, t), self.theta
                    * span), leap(self.weights()[0] * rate(self.schedule, t - self.theta * span),
                                  (1 - self.theta) * span)

    def rates(self, p: Tensor, q: Tensor, t: Tensor, span: float) -> Tensor:
        """Of stage 2 (..., V), from the network's answers p to (x, t) and q to (x', rho)."""
        a1, a2 = self.weights()
        return (a1 * rate(self.schedule, t - self.theta * span) * q - a2 * rate(self.schedule, t) * p).clamp_min(0)

    def hazard(self, device) -> Tensor:
        """The cumulative hazard that `next_step` draws from. Of stage 1 and 2 of each step in turn, (2N+1,)."""
        return hazards(torch.stack(self.most(starts(self.steps, device), 1 / self.steps), 1).flatten())

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        """due (B, L): 2n, stage 1 of step n; 2n+1, stage 2 at its bound; 2N, what is left."""
        return {"due": next_step(self.hazard(rows.x.device), torch.zeros_like(rows.x), reveal_times(rows).clamp_min(0))}

    def coming(self, rows: Rows, mask: int) -> tuple[Tensor, Tensor, Tensor]:
        """The next step in which something may fall (B, 1), where that is (B, L), and where it is of stage 2 (B, L)."""
        masked, due = rows.x == mask, rows.memo["due"]
        n = torch.where(masked, due, 2 * self.steps).amin(1, keepdim=True) // 2    # (B, 1)
        return n, masked & (due // 2 == n), masked & (due == 2 * n + 1)

    def ahead(self, nets, rows: Rows) -> Tensor:
        """At how many places something may fall, and whether a row has a second pass, (2, B)."""
        _, falling, second = self.coming(rows, nets["main"].mask)
        return torch.stack((falling.sum(1), second.any(1)))

    def step(self, nets, rows: Rows) -> Rows:
        net, due, span = nets["main"], rows.memo["due"], 1 / self.steps
        n, falling, second = self.coming(rows, net.mask)
        places, twice = foreseen(rows, torch.stack((falling.sum(1), second.any(1))))               # (B,) each
        t = starts(self.steps, due.device)[n.clamp_max(self.steps - 1)]            # (B, 1)
        clock = self.schedule.alpha(torch.where(n < self.steps, t, 0)[:, 0])       # (B,) what is left comes at t = 0
        at = positions(falling, int(places.max()))                                 # (B, W)
        second = (at >= 0) & second.gather(1, at.clamp_min(0))                     # (B, W)
        token = uniform(rows.seed, rows.id, Stream.TOKEN, at.clamp_min(0))         # (B, W)
        before, _ = net.draft(rows.x, at, clock=clock)                               # (B, W, V)
        x = fill(rows.x, torch.where(second, -1, at), from_logits(before, token)[0])               # (B, L) x'
        if not twice.any():
            return rows._replace(x=x)
        after, _ = net.draft(x, torch.where(second, at, -1), numbers(second.any(1), int(twice.sum())),
                             self.schedule.alpha(t[:, 0] - self.theta * span))
        rates = self.rates(probabilities(before), probabilities(after), t[..., None], span)        # (B, W, V)
        u, v = (anew(rows, Stream.POSITION, at, part, 2) for part in (0, 1))       # (B, W)
        falls = second & (u * self.most(t, span)[1] < leap(rates.sum(-1), (1 - self.theta) * span))
        later = next_step(self.hazard(due.device), (2 * n + 2).clamp_max(2 * self.steps).expand_as(at), v)
        x = fill(x, torch.where(falls, at, -1), categorical(rates, token))
        return rows._replace(x=x, memo={"due": fill(due, torch.where(second & ~falls, at, -1), later)})
