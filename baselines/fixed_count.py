"""A fixed number of tokens a pass, given by a window: what the self-speculative sampler does when every draft is
accepted unseen.

    while i < L:   x at sigma(i+1..i+W(i)) ~ p, independently;   i += W(i)

The matched control of a window: same order, same windows, no verify pass. Biased by factorisation; exact at W = 1.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from harness.kinds import Rows
from harness.param import Choice, check, param
from harness.sampling.reveal import next_places, order_of, write
from harness.schedules.order import ORDERS, UNIFORM, OrderLaw
from harness.schedules.window import Cosine, Fixed, Linear, Open, Stairs, widths


@dataclass(frozen=True)
class FixedCount:
    """A fixed number of tokens a pass, given by a window: SelfSpeculative without its verify passes, the matched
    control of its window. Tokens of a pass are drawn independently, so it is biased wherever a window is wider than
    one.
    """

    window: Cosine | Linear | Fixed | Open | Stairs = param(Cosine(),
                                                            Choice(Cosine(), Linear(), Fixed(), Open(), Stairs()))
    order: OrderLaw = param(UNIFORM, ORDERS, "law of sigma")

    name: ClassVar[str] = "fixed_count"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "FixedCount":
        return FixedCount(Fixed(1), self.order)

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return {"order": order_of(rows, self.order)}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """W(i), (1, B)."""
        return widths(self.window, (rows.x != nets["main"].mask).sum(1), rows.x.shape[1])[None]

    def step(self, nets, rows: Rows) -> Rows:
        net, length = nets["main"], rows.x.shape[1]
        i = (rows.x != net.mask).sum(1)                                            # (B,)
        _, at = next_places(rows.memo["order"], i, i + widths(self.window, i, length), *rows.ahead)
        return write(net, rows, at, clock=i.double() / length)
