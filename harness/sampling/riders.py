"""Rows on their way through the loop: which of all they are, and what the host knows of them.

They are taken apart and put together by numbers that the host has, so that it never waits for its device to say how
many there are.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Rows


class Riders(NamedTuple):
    rows: Rows           # B of them
    slots: Tensor        # (B,) which of all rows each is
    ahead: np.ndarray    # (K, B) what the sampler says of their next round (Sampler.ahead), on the host

    def of(self, which: Tensor | slice, known: np.ndarray | slice) -> "Riders":
        """Some of them: `which` on their device, `known` the same on the host."""
        x, given, ids, n, seed, memo, _ = self.rows
        kept = Rows(x[which], given[which], ids[which], n[which], seed, {k: v[which] for k, v in memo.items()})
        return Riders(kept, self.slots[which], self.ahead[:, known])

    def split(self, count: int) -> tuple["Riders", "Riders"]:
        """The first so many, and the others."""
        first, others = slice(count), slice(count, None)
        return self.of(first, first), self.of(others, others)

    def parted(self, done: Tensor, known: np.ndarray) -> tuple[Tensor, Tensor, "Riders"]:
        """Slots and tokens of those done, and the others. done (B,), `known` the same on the host."""
        by = done.logical_not().int().argsort(stable=True)                         # (B,) those done come first
        first = by[: int(known.sum())]
        return self.slots[first], self.rows.x[first], self.of(by[len(first):], ~known)

    def told(self) -> Rows:
        """The rows, with what is known of them."""
        return self.rows._replace(known=self.ahead)


def joined(a: Riders, b: Riders) -> Riders:
    if not len(a.slots) or not len(b.slots):
        return a if len(a.slots) else b
    x, given, ids, n = (torch.cat((getattr(a.rows, f), getattr(b.rows, f))) for f in ("x", "given", "id", "n"))
    memo = {k: torch.cat((a.rows.memo[k], b.rows.memo[k])) for k in b.rows.memo}
    return Riders(Rows(x, given, ids, n, b.rows.seed, memo), torch.cat((a.slots, b.slots)),
                  np.concatenate((a.ahead, b.ahead), 1))
