"""A sampler of your own: the surest positions first, so many at each pass."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from harness.nets.transformer import gather_rows
from harness.param import Range, check, param
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import fill


@dataclass(frozen=True)
class Confident:
    tokens: int = param(2, Range(1, 64), "positions a pass")

    name: ClassVar[str] = "confident"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self):
        return None    # an order that looks at the network has a law of its own

    def step(self, nets, rows):
        net = nets["main"]
        logits, _ = net.draft(rows.x)                                                          # (B, L, V)
        sure = torch.where(rows.x == net.mask, torch.softmax(logits.double(), -1).amax(-1), -1.0)    # (B, L)
        best, at = sure.topk(self.tokens, dim=1)                                               # (B, tokens)
        at = torch.where(best > 0, at, -1)
        tokens, _ = from_logits(gather_rows(logits, at), uniform(rows.seed, rows.id, Stream.TOKEN, at.clamp_min(0)))
        return rows._replace(x=fill(rows.x, at, tokens))
