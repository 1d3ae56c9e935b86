"""The head of the self-speculative network without its test, in three forms: what verification is compared with.

    h, p = draft pass on x;    e = i + W(i)
    sequential   for k = i+1..e:   y at sigma(k) ~ q^k(. | y at lower ranks), one track a verify pass
    drafts       y at sigma(i+1..e) ~ p, independently; no verify pass
    jacobi       as drafts, then one verify pass; y at sigma(i+2..e) ~ q^k(. | the drafts at lower ranks), all at once
    x at sigma(i+1..e) = y;    i = e

Law: `sequential` has exactly that of the self-speculative sampler with as many rounds as its window has tokens, so that
verification buys fewer passes one after the other and no law; if the two differ, one of them is wrong. `drafts` is that
of `fixed_count`. `jacobi` is biased: what it redraws has heard drafts that were redrawn too. Ours.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from harness.kinds import Rows
from harness.param import Choice, check, param
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import fill, next_places, order_of, places
from harness.schedules.order import ORDERS, UNIFORM, OrderLaw
from harness.schedules.window import Cosine, Fixed, Linear, Open, Stairs, widths

HEADS = ("sequential", "drafts", "jacobi")


@dataclass(frozen=True)
class Unverified:
    """The head of a self-speculative network without its test, what verification is compared with. `sequential` writes
    a window by one verify pass a token and has the causal target's law, `drafts` writes it from the draft pass alone,
    `jacobi` redraws all its drafts but the first from one verify pass. The last two are biased where a window has
    several tokens.
    """

    window: Cosine | Linear | Fixed | Open | Stairs = param(Cosine(),
                                                            Choice(Cosine(), Linear(), Fixed(), Open(), Stairs()))
    head: str = param(HEADS[0], Choice(*HEADS))
    order: OrderLaw = param(UNIFORM, ORDERS, "law of sigma")

    name: ClassVar[str] = "ssmd_unverified"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main.verify",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "Unverified":
        return self if self.head == "sequential" else replace(self, window=Fixed(1))

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return {"order": order_of(rows, self.order)}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """W(i) and e, (2, B)."""
        i = (rows.x != nets["main"].mask).sum(1)                                   # (B,)
        width = widths(self.window, i, rows.x.shape[1])
        return torch.stack((width, i + width))

    def step(self, nets, rows: Rows) -> Rows:
        net, order, x, length = nets["main"], rows.memo["order"], rows.x, rows.x.shape[1]
        i = (x != net.mask).sum(1)                                                 # (B,)
        ranks, at = next_places(order, i, i + widths(self.window, i, length), *rows.ahead[:1])    # (B, W) each
        u = uniform(rows.seed, rows.id, Stream.TOKEN, at.clamp_min(0))             # (B, W)
        if self.head == "sequential":
            _, hidden = net.draft(x, torch.full_like(at[:, :1], -1))    # hidden states only
            if rows.ahead and hasattr(hidden, "promise"):
                hidden.promise(1, rows.ahead[1])
            for rank, place, number in zip(ranks.split(1, 1), at.split(1, 1), u.split(1, 1)):
                logits = net.verify(hidden, x, order, rank, rank[:, 0] >= 0)       # (B, 1, V)
                x = fill(x, place, from_logits(logits, number)[0])
            return rows._replace(x=x)
        logits, hidden = net.draft(x, at)                                          # (B, W, V)
        y = fill(x, at, from_logits(logits, u)[0])                                 # (B, L)
        behind = torch.where(ranks > i[:, None], ranks, -1)                        # (B, W) all but the first
        several = at.shape[1] > 1 if rows.ahead else bool((behind >= 0).any())
        if self.head == "drafts" or not several:
            return rows._replace(x=y)
        if rows.ahead and hasattr(hidden, "promise"):
            hidden.promise(*rows.ahead)
        judged = net.verify(hidden, y, order, behind, (behind >= 0).any(1))        # (B, W, V)
        again = uniform(rows.seed, rows.id, Stream.RESIDUAL, at.clamp_min(0))      # (B, W)
        return rows._replace(x=fill(y, places(order, behind), from_logits(judged, again)[0]))
