"""Any-order autoregression from the causal target: one draft and one verify pass a token, no speculation.

    while i < L:   x at sigma(i+1) ~ q_i^{i+1}(. | x at sigma(1..i));   i += 1

The limit W = 1 of the self-speculative sampler, whose law is prod_i q_i^{i+1}; exact for an ideal network.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from harness.kinds import Rows
from harness.param import check, param
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import fill, order_of, places
from harness.schedules.order import ORDERS, UNIFORM, OrderLaw


@dataclass(frozen=True)
class AnyOrder:
    """One token a round from the causal target, along sigma: a draft pass for hidden states alone, then a verify pass
    of one rank. A row of L masks takes L rounds. Exact for an ideal network.
    """

    order: OrderLaw = param(UNIFORM, ORDERS, "law of sigma")

    name: ClassVar[str] = "any_order"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main.verify",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "AnyOrder":
        return self

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return {"order": order_of(rows, self.order)}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """How many tracks the verify pass sees, (1, B)."""
        return (rows.x != nets["main"].mask).sum(1)[None] + 1

    def step(self, nets, rows: Rows) -> Rows:
        net, x, order = nets["main"], rows.x, rows.memo["order"]
        i = (x != net.mask).sum(1, keepdim=True)                                   # (B, 1) the next rank
        _, hidden = net.draft(x, i - i - 1)  # hidden states only: no draft logits wanted
        if rows.ahead and hasattr(hidden, "promise"):
            hidden.promise(1, min(rows.ahead[0], x.shape[1]))
        at = places(order, i)
        # (B, 1)
        tokens, _ = from_logits(net.verify(hidden, x, order, i), uniform(rows.seed, rows.id, Stream.TOKEN, at))
        return rows._replace(x=fill(x, at, tokens))
