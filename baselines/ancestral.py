"""Ancestral sampling of masked diffusion (MDLM, arXiv 2406.07524; MD4, arXiv 2406.04329): positions first, then their
tokens.

    for n = 0 .. N-1:   t = 1 - n/N,  s = 1 - (n+1)/N
        R = {l masked : revealed with probability (alpha_s - alpha_t)/(1 - alpha_t)}
        x_l ~ p_l(. | x)   for l in R, independently

Each position is revealed at a time of its own with P(revealed by t) = alpha_t, so one uniform a position, drawn at the
start, says in which step it falls: the law of the loop above without its empty steps, and without a pass for them (the
lazy form: cost is distinct forwards). Biased by the factorisation inside a step; exact as N grows.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines.first_hitting import FirstHitting
from harness.kinds import Rows
from harness.param import Choice, Range, check, param
from harness.sampling.reveal import positions, reveal_times, write
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial


@dataclass(frozen=True)
class Ancestral:
    """Ancestral sampling (MDLM, arXiv 2406.07524; MD4, arXiv 2406.04329): in each of `steps` equal steps of time
    positions first, then their tokens. A round is one pass for the next step that reveals something, so a row takes at
    most `steps` passes. The tokens of a step are drawn independently: the law is biased, and exact as N grows.
    """

    steps: int = param(64, Range(1, 4096, log=True), "N, equal steps in time")
    schedule: Linear | Cosine | Polynomial | Knots = param(Linear(), Choice(Linear(), Cosine(), Polynomial(), Knots()))

    name: ClassVar[str] = "ancestral"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> FirstHitting:
        return FirstHitting()    # the limit of many steps

    def levels(self, device) -> Tensor:
        """alpha at the ends of the steps, (N,) ascending to 1."""
        return self.schedule.alpha(1 - torch.arange(1, self.steps + 1, dtype=torch.float64, device=device) / self.steps)

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        # (B, L) the step of each position
        return {"due": torch.searchsorted(self.levels(rows.x.device), reveal_times(rows))}

    def clock(self, rows: Rows, mask: int) -> Tensor:
        """The share that is expected to be revealed before the next step, (B,)."""
        return self.begins(rows.x.device)[self.coming(rows, mask)[0]]

    def begins(self, device) -> Tensor:
        """alpha at the starts of the steps, and 1 behind them, (N+1,)."""
        return torch.cat((torch.zeros(1, dtype=torch.float64, device=device), self.levels(device)))

    def coming(self, rows: Rows, mask: int) -> tuple[Tensor, Tensor]:
        """The next step that reveals (B,), and what it reveals (B, L)."""
        masked, due = rows.x == mask, rows.memo["due"]
        now = torch.where(masked, due, self.steps).amin(1)                         # (B,)
        return now, masked & (due == now[:, None])

    def ahead(self, nets, rows: Rows) -> Tensor:
        """How many tokens come next, (1, B)."""
        return self.coming(rows, nets["main"].mask)[1].sum(1)[None]

    def step(self, nets, rows: Rows) -> Rows:
        net = nets["main"]
        now, chosen = self.coming(rows, net.mask)
        return write(net, rows, positions(chosen, *rows.ahead[:1]), clock=self.begins(now.device)[now])
