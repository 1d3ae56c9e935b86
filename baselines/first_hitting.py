"""First-hitting sampling (arXiv 2409.02908): one uniformly chosen masked position at a time, its token from the
network.

    while masks are left:   l uniform among them;   x_l ~ p_l(. | x)

The limit of ancestral sampling for many steps, without time discretisation: for an ideal network the law is exact. L
passes. `tokens` > 1 reveals several a pass and factorises over them.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from harness.kinds import Rows
from harness.param import Range, check, param
from harness.sampling.reveal import next_places, order_of, write
from harness.schedules.order import ORDERS, UNIFORM, OrderLaw


@dataclass(frozen=True)
class FirstHitting:
    """First-hitting sampling (arXiv 2409.02908): a pass reveals the next `tokens` positions of a random order, each
    drawn independently. tokens = 1 takes a pass for each mask and is exact for an ideal network.
    """

    tokens: int = param(1, Range(1, 4096, log=True), "positions an event")
    order: OrderLaw = param(UNIFORM, ORDERS, "law of their order")

    name: ClassVar[str] = "first_hitting"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "FirstHitting":
        return FirstHitting(1, self.order)

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return {"order": order_of(rows, self.order)}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """How many tokens come next, (1, B)."""
        return (rows.x == nets["main"].mask).sum(1).clamp_max(self.tokens)[None]

    def clock(self, rows: Rows, mask: int) -> Tensor:
        """The share that is revealed, (B,)."""
        return (rows.x != mask).sum(1).double() / rows.x.shape[1]

    def step(self, nets, rows: Rows) -> Rows:
        net, length = nets["main"], rows.x.shape[1]
        i = (rows.x != net.mask).sum(1)                                            # (B,)
        _, at = next_places(rows.memo["order"], i, (i + self.tokens).clamp_max(length), *rows.ahead[:1])
        return write(net, rows, at, clock=i.double() / length)
