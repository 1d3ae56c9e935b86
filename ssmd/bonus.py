"""The self-speculative sampler with a bonus token: behind a window that passed whole it writes one token more, from the
target, which the same verify pass gives for one track more.

    as ssmd/sampler.py, but a verify pass asks for rank e too (counted from 0), and where f = e, with e < L:
        x at sigma(e) ~ q^e;    i = e + 1

Law: for an ideal network that of the network, as without it. For another it is neither that of the window nor that of
one longer: rank e has the target behind this draft pass where the window passed whole, and that behind the next draft
pass where its last draft was rejected, which depends on the tokens. What it saves are drafts: up to one token more a
draft pass, for one track. That a bonus is legal here is ours.
"""

from dataclasses import dataclass
from typing import ClassVar

from harness.kinds import Rows
from harness.sampling.reveal import next_places
from harness.schedules.window import widths
from ssmd.sampler import SelfSpeculative, speculated


@dataclass(frozen=True)
class SelfSpeculativeBonus(SelfSpeculative):
    """SelfSpeculative with one token more, from the target, behind a window that passed whole. The verify pass that
    accepts the window gives it, for one track more. Exact for an ideal network.
    """

    name: ClassVar[str] = "ssmd_bonus"

    def step(self, nets, rows: Rows) -> Rows:
        net, order = nets["main"], rows.memo["order"]
        i, length = (rows.x != net.mask).sum(1), rows.x.shape[1]                   # (B,)
        e = i + widths(self.window, i, length)                                     # (B,)
        logits, hidden = net.draft(rows.x, next_places(order, i, e, *rows.ahead[:1])[1])    # (B, W, V)
        return speculated(net, rows, order, rows.memo["rank"], e, logits, hidden, self.rounds, bonus=True)
