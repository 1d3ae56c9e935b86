"""Self-speculative sampling, then corrector sweeps that mask a share of the text again and write it anew (a combination
of ours).

    x ~ the host sampler
    `sweeps` times:   S = a share of the places;   x_S = MASK;   the host writes x_S given the rest
        oldest    S goes through sigma as it was drawn, from its beginning: where the host keeps that order, what was
                  written with the least context comes first
        random    S is uniformly drawn

The remasking is that of ReMDM's loop phase (arXiv 2503.00307) with a fixed number of places. Exact: S is drawn without
a look at the text, and under one joint the host writes x_S from its conditional law given the rest, so a sweep is a
block Gibbs step and leaves the law as it is, however many there are. What it can mend is what a trained network gets
wrong when it writes with little context: in a sweep nearly all of the text is known. Cost: that of the host for the
masks of each sweep.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harness.kinds import Rows
from harness.param import Choice, Range, check, param
from harness.random import Stream
from harness.sampling.reveal import anew
from harness.schedules.order import UNIFORM
from harness.schedules.window import Open
from ssmd.adaptive import Adaptive
from ssmd.sampler import SelfSpeculative


@dataclass(frozen=True)
class Corrected:
    """A host sampler, then `sweeps` sweeps that mask `share` of the places again and let the host write them anew (a
    combination of ours). A prompt is never masked. Exact for an ideal network, however many sweeps there are; each
    costs what the host takes for its masks.
    """

    host: SelfSpeculative | Adaptive = param(SelfSpeculative(Open(), 10),
                                             Choice(SelfSpeculative(Open(), 10), Adaptive()))
    share: float = param(0.125, Range(0.001, 1.0, log=True), "of the places that a sweep masks again")
    sweeps: int = param(2, Range(1, 62, log=True), "the loop's patience is 64 rounds a token")
    scan: str = param("oldest", Choice("oldest", "random"))

    name: ClassVar[str] = "ssmd_corrected"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main.verify",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "Corrected":
        return self

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        memo = self.host.start(nets, rows)
        return memo | {"drawn": memo["order"].argsort(1), "sweep": torch.zeros_like(rows.n),
                       "full": torch.zeros_like(rows.given[:, 0])}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """What the host's round needs to know behind the masks of this one, (K, B)."""
        again, _ = self.again(rows)
        return self.host.ahead(nets, rows._replace(x=rows.x.masked_fill(again, nets["main"].mask)))

    def again(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """What a round masks first, (B, L) bool, of rows whose next sweep begins; and the uniforms of the round (B, L).
        """
        u = anew(rows, Stream.POSITION)
        return rows.memo["full"][:, None] & self.chosen(rows, u), u

    def step(self, nets, rows: Rows) -> Rows:
        # (B,) whose next sweep begins; (B, L)
        mask, full, (again, u) = nets["main"].mask, rows.memo["full"], self.again(rows)
        times = getattr(self.host, "order", UNIFORM).times(u)                      # (B, L)
        # (B, L) what is masked comes last, by the host's law
        order = torch.where(again, times, -1.0).argsort(dim=1, stable=True)
        order = torch.where(full[:, None], order, rows.memo["order"])
        memo = rows.memo | {"order": order} | ({"rank": order.argsort(1)} if "rank" in rows.memo else {})
        rows = self.host.step(nets, rows._replace(x=rows.x.masked_fill(again, mask), memo=memo))
        return rows._replace(memo=memo | rows.memo | {"sweep": memo["sweep"] + full, "full": (rows.x != mask).all(1)})

    def chosen(self, rows: Rows, u: Tensor) -> Tensor:
        """S of the next sweep, (B, L) bool; u (B, L) uniforms of this round."""
        free = (~rows.given).sum(1, keepdim=True)                                  # (B, 1)
        many = (self.share * free).round().clamp_min(1)                            # (B, 1)
        if self.scan == "random":
            return u.masked_fill(rows.given, 2.0).argsort(1).argsort(1) < many
        # (B, L) places behind the beginning of S
        since = rows.memo["drawn"] - rows.given.sum(1, keepdim=True) - rows.memo["sweep"][:, None] * many
        return ~rows.given & (since.remainder(free) < many)

    def done(self, rows: Rows) -> Tensor:
        return rows.memo["full"] & (rows.memo["sweep"] == self.sweeps)
