"""The self-speculative sampler, with order and window chosen from what its draft pass says (a combination of ours).

    h, p = draft pass on x, at all masked places sigma(i+1..L): the masked places, those of which p is surest first
    (harness/schedules/certainty.py); by = random: sigma as it was drawn
    e = i + 1 + how many more tokens of the window fit into the budget:   sum of H(p_l) over sigma(i+2..e) <= budget
    then the verify rounds of ssmd/sampler.py on sigma(i+1..e)

Certainty orders are those of arXiv 2502.06768 (with T = 1 and tokens drawn); the budget is the bound of arXiv
2505.24857 on what tokens of one pass know about each other, here on what drafts miss of each other, which is what a
verify pass rejects. The first token is free: nothing was revealed since its logits.

Exact: sigma and e are functions of x alone, never of a drafted token, and under one joint every order of revealing has
the same law. A trained network has a law for each order. Cost: that of ssmd/sampler.py, but the head is evaluated at
all that the window admits, and at all masked places where certainty sorts them.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harness.kinds import Rows
from harness.nets.transformer import gather_rows
from harness.param import Choice, Range, check, param
from harness.sampling.reveal import next_places, order_of, probabilities
from harness.schedules.certainty import Confidence, Entropy, Margin, Random, coarse, entropy
from harness.schedules.order import UNIFORM
from harness.schedules.window import Cosine, Fixed, Linear, Open, widths
from ssmd.sampler import ROUNDS, speculated

UNLIMITED = 1e6    # nats: more than any window holds


@dataclass(frozen=True)
class Adaptive:
    """Self-speculative sampling whose order and window come from the draft pass: what `by` says is surest comes first,
    and a window ends where the entropy of its drafts would pass `budget` nats (a combination of ours). One round is one
    draft pass and up to `rounds` verify passes. Exact for an ideal network under every setting.
    """

    window: Cosine | Linear | Fixed | Open = param(Open(), Choice(Open(), Cosine(), Linear(), Fixed()),
                                                   "the most that a draft pass may reveal")
    rounds: int = param(10, Range(1, ROUNDS, log=True), "N, verify passes a draft pass")
    by: Random | Entropy | Confidence | Margin = param(Random(), Choice(Random(), Entropy(), Confidence(), Margin()),
                                                       "what is surest comes first")
    budget: float = param(4.0, Range(0.0, UNLIMITED), "nats of entropy a draft pass, the first token free")

    name: ClassVar[str] = "ssmd_adaptive"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main.verify",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "Adaptive":
        return self

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return {"order": order_of(rows, UNIFORM)}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """W(i), the most that e may be, and how many positions the draft pass looks at, (3, B)."""
        i, length = (rows.x != nets["main"].mask).sum(1), rows.x.shape[1]          # (B,)
        width = widths(self.window, i, length)
        return torch.stack((width, i + width, width if isinstance(self.by, Random) else length - i))

    def step(self, nets, rows: Rows) -> Rows:
        net, order, length = nets["main"], rows.memo["order"], rows.x.shape[1]
        i = (rows.x != net.mask).sum(1)                                            # (B,)
        most = i + widths(self.window, i, length)                                  # (B,)
        sorts = not isinstance(self.by, Random)
        stop = torch.full_like(i, length) if sorts else most
        ranks, at = next_places(order, i, stop, *rows.ahead[2:])                   # (B, W) each, all that may come
        logits, hidden = net.draft(rows.x, at)                                     # (B, W, V)
        p = probabilities(logits)                                                  # (B, W, V) float64
        h = entropy(p)                                                             # (B, W)
        if sorts:
            sure = coarse(self.by.certainty(p, at)).masked_fill(ranks < 0, -torch.inf)
            best = sure.argsort(dim=1, descending=True, stable=True)               # (B, W)
            order = _resorted(order, i, at.gather(1, best))
            logits, h = gather_rows(logits, best), h.gather(1, best)
        known = h.masked_fill(torch.arange(h.shape[1], device=h.device) == 0, 0).cumsum(1) <= self.budget  # (B, W)
        e = torch.minimum(most, i + known.sum(1))
        width = rows.ahead[0] if rows.ahead else int((e - i).max())
        rows = speculated(net, rows, order, order.argsort(1), e, logits[:, :width], hidden, self.rounds)
        return rows._replace(memo={"order": order})


def _resorted(order: Tensor, i: Tensor, places_: Tensor) -> Tensor:
    """order (B, L) with its ranks from i (B,) on replaced by places_ (B, W), whose first L - i count."""
    rank = torch.arange(order.shape[1], device=order.device) - i[:, None]          # (B, L) column of places_
    return torch.where(rank < 0, order, places_.gather(1, rank.clamp_min(0)))
