"""Rejection sampling of sigma-GPT (arXiv 2404.09562): a control that must miss the law, for nothing is drawn in place
of what is rejected.

    while masks are left:
        y_l ~ p_l(. | x) at every masked l, independently
        for each of O random orders sigma of what is masked:
            q = verify pass on y along sigma;    f = first r with   U_l p_l(y_l) >= q^r(y_l),  l = sigma(r)
        x takes y before f, along the order whose f is the last

Law: biased even for an ideal network, and the more so the more orders. A rejected token is forgotten and drawn again
from p, where a draw from max(0, q - p) would make up for it, and the best of O orders is chosen by looking at the
tokens. One candidate y and one uniform a position serve all orders; the code of its authors draws anew for each. Cost:
one draft and O verify passes a round, which may reveal nothing. The acceptance in its records is not to be used: the
ledger takes an order that was not the best for one that passed.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines._masked import Looking
from harness.kinds import Rows
from harness.param import Range, check, param
from harness.random import Stream, from_logits, probability_of
from harness.sampling.accept import accept
from harness.sampling.reveal import anew, fill, order_of, places, positions, ranks_between
from harness.schedules.order import UNIFORM


@dataclass(frozen=True)
class SigmaGpt(Looking):
    """Rejection sampling of sigma-GPT (arXiv 2404.09562): a draft pass, then a verify pass along each of `orders`
    random orders, of which the one that accepts most is kept. A control that misses the law even for an ideal network,
    since what is rejected is not drawn from the residual.
    """

    orders: int = param(5, Range(1, 64, log=True), "O, of which the best is taken")

    name: ClassVar[str] = "sigma_gpt"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main.verify",)

    def __post_init__(self):
        check(self)

    def exact(self) -> None:
        """None: one order and one token a round would be exact, but no setting gives that."""

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return {"rank": order_of(rows, UNIFORM).argsort(1)}

    def step(self, nets, rows: Rows) -> Rows:
        net, x, length = nets["main"], rows.x, rows.x.shape[1]
        masked = x == net.mask
        i = length - masked.sum(1)                                                 # (B,)
        at = positions(masked, *rows.ahead)                                        # (B, W)
        logits, hidden = net.draft(x, at, clock=i.double() / length)               # (B, W, V)
        drafted, chance = from_logits(logits, anew(rows, Stream.DRAFT, at))        # (B, W)
        y, p = fill(x, at, drafted), fill(torch.zeros_like(x, dtype=chance.dtype), at, chance)    # (B, L)
        u, ranks = anew(rows, Stream.ACCEPT), ranks_between(i, torch.full_like(i, length), *rows.ahead)
        if rows.ahead and hasattr(hidden, "promise"):
            hidden.promise(length, length)    # another order wants every track anew
        best, rank = torch.full_like(i, -1), rows.memo["rank"]                     # (B,), (B, L)
        for part in range(self.orders):
            times = torch.where(masked, length + anew(rows, Stream.POSITION, None, part, self.orders),
                                rows.memo["rank"])
            order = times.argsort(dim=1, stable=True)  # (B, L) what is revealed in its order, then the others
            place = places(order, ranks).clamp_min(0)                              # (B, W)
            q = probability_of(y.gather(1, place), net.verify(hidden, y, order, ranks))            # (B, W)
            f = accept(p.gather(1, place), q, u.gather(1, place), torch.zeros_like(i), length - i)
            better = f > best
            best, rank = torch.where(better, f, best), torch.where(better[:, None], order.argsort(1), rank)
        return rows._replace(x=torch.where(rank < (i + best)[:, None], y, net.mask), memo={"rank": rank})
