"""A network that was trained to write block after block sees no token behind its block, and is right for that order
alone: samplers that write in another are refused.

Whether an order goes by blocks is measured: it is drawn some times, and no place may come before one of an earlier
block. So Blocks(16) and LeftToRight() pass for blocks of 32, and every order passes for a row that is no longer than
one block. A sampler without `order`, the field that names its law, is taken to write in any. A window that reaches
over the end of a block is no error: it reads MASK where the network was trained on tokens.
"""

from collections.abc import Mapping
from typing import Any

import torch

from harness.kinds import Order
from harness.random import Stream, uniform
from harness.schedules.order import UNIFORM
from harness.study import Study

DRAWN = 64    # orders that are looked at


def in_their_order(study: Study, nets: Mapping[str, Any]) -> None:
    """Raises ValueError, in a sentence with the remedy, for a sampler that asks such a network in another order."""
    for arm in study.arms:
        for point in (point for point in arm.points if not hasattr(point, "control")):
            for name in arm.nets.values():
                size = block_of(nets[name])
                order = getattr(point, "order", UNIFORM)
                if size and not by_blocks(order, study.data.length, size):
                    raise ValueError(f"the network {name!r} writes blocks of {size}, each after the one before, and "
                                     f"{point.name} of the arm {arm.name} writes in another order: choose a sampler "
                                     f"with an order, ssmd or first_hitting for example, and give it order=Blocks("
                                     f"{size}) (harness/schedules/order.py)")


def block_of(net: Any) -> int:
    """Tokens of the blocks that a network, or the trunk that it stands on, writes one after the other; 0: any order."""
    return getattr(net, "block", 0) or getattr(getattr(net, "trunk", None), "block", 0)


def by_blocks(order: Order, length: int, size: int) -> bool:
    """Whether an order of rows of this length ends each block of this size before it begins the next."""
    u = uniform(0, torch.arange(DRAWN), Stream.ORDER, torch.arange(length))        # (DRAWN, L)
    block = order.times(u).argsort(dim=1, stable=True) // size                     # (DRAWN, L)
    return bool((block.diff(dim=1) >= 0).all())
