"""Speculative decoding from left to right (arXiv 2211.17192, Alg. 1; arXiv 2302.01318): a light network drafts k
tokens, one pass of the heavy one tests all of them.

    x at i+1..i+k ~ p, one light pass a token
    q at i+1..i+k+1: the heavy law given x before each place, in one pass
    f = first r with  U_r p^r(x) >= q^r(x)
    if there is one:   x at f ~ max(0, q^f - p^f) / Z,  what was drafted behind it is dropped
    else, with bonus:  x at i+k+1 ~ q^(i+k+1)

Law: that of the heavy network alone, one token a pass from left to right, whatever the light one drafts, for every k,
with the bonus and without; so exact for an ideal heavy network. A uniform is keyed by its place alone: without the
bonus, k changes the cost and not one token. A network that looks both ways has no pass that gives the law at every
place (`one_pass_chain`), and takes k + 1 passes side by side: the same law at another price. A light network that
keeps its keys reads two tokens after a bonus, the last draft and the bonus; its logit at the first of them is billed
too, and not used.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from baselines.light_heavy import drafts
from harness.kinds import Rows
from harness.nets.wrap import numbers, same_alphabet
from harness.param import Range, check, param
from harness.random import Stream, from_logits, probability_of, uniform
from harness.sampling.reveal import fill, foreseen, next_places, order_of
from harness.sampling.settle import settle
from harness.schedules.order import LeftToRight


@dataclass(frozen=True)
class Speculative:
    """Speculative decoding from left to right (arXiv 2211.17192, Alg. 1; arXiv 2302.01318): `light` drafts `tokens`
    tokens, one pass each, and `main` tests all of them, with `bonus` for one token more. The law is that of `main`
    alone. Raises ValueError if the two write unlike symbols.
    """

    tokens: int = param(4, Range(1, 4096, log=True), "k, drafts a round")
    bonus: bool = True

    name: ClassVar[str] = "speculative"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main", "light")

    def __post_init__(self):
        check(self)

    def exact(self) -> "Speculative":
        return self

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        same_alphabet(nets["main"], nets["light"])
        order = order_of(rows, LeftToRight())
        return {"order": order, "rank": order.argsort(1), "behind": torch.zeros_like(rows.id, dtype=torch.bool)}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """How many tokens a round may write, (1, B)."""
        return (rows.x == nets["main"].mask).sum(1).clamp_max(self.tokens + self.bonus)[None]

    def step(self, nets, rows: Rows) -> Rows:
        heavy, light, length, order = nets["main"], nets["light"], rows.x.shape[1], rows.memo["order"]
        most, = foreseen(rows, self.ahead(nets, rows))                             # (B,) tokens of each row
        many = np.minimum(most, self.tokens)                                       # (B,) of them drafts
        i = (rows.x != heavy.mask).sum(1)                                          # (B,)
        e = (i + self.tokens).clamp_max(length)                                    # (B,)
        ranks, tested = next_places(order, i, e, int(many.max()))                  # (B, W) each
        # (B, W or W + 1) each
        further, at = next_places(order, i, (e + self.bonus).clamp_max(length), int(most.max()))
        clock = further.clamp_min(0).double() / length
        token_u, accept_u, residual_u = (uniform(rows.seed, rows.id, s, at.clamp_min(0))
                                         for s in (Stream.TOKEN, Stream.ACCEPT, Stream.RESIDUAL))
        wide = tested.shape[1]
        unread = torch.where(rows.memo["behind"] & light.one_pass_chain, tested[:, 0] - 1, -1)     # (B,)
        states, drafted, p, guessed = drafts(light, rows.x, tested, clock[:, :wide], token_u[:, :wide], many, unread)
        y = fill(rows.x, tested, drafted)                                          # (B, L)
        heavy.tried(y, order, ranks)
        if heavy.one_pass_chain:
            q = heavy.draft(y, at, None, clock[:, 0])[0]                           # (B, W or W + 1, V)
        else:
            states, each = torch.cat((states, y[:, None]), 1)[:, : at.shape[1]], at.flatten()
            alive = numbers(each >= 0, int(most.sum()))                            # (R,) texts
            q = heavy.draft(states.flatten(0, 1), each[:, None], alive, clock.flatten())[0].reshape(*at.shape, -1)
        chance = probability_of(drafted, q[:, :wide], beside=accept_u[:, :wide] * p)
        y, j, f = settle(guessed, q[:, :wide], p, chance, accept_u[:, :wide], residual_u[:, :wide], tested, y, i, i, e)
        written = torch.where(rows.memo["rank"] < j[:, None], y, heavy.mask)       # (B, L)
        if self.bonus and at.shape[1] > wide:
            column = (e - i)[:, None]                                              # (B, 1) behind the drafts
            # (B,) -1 behind a rejection, and where the place is beyond the row
            last = torch.where(f < e - i, -1, at.gather(1, column)[:, 0])
            token = from_logits(q.gather(1, column[..., None].expand(-1, 1, q.shape[2])),
                                token_u.gather(1, column))[0]                      # (B, 1)
            return rows._replace(x=fill(written, last[:, None], token), memo=rows.memo | {"behind": last >= 0})
        return rows._replace(x=written, memo=rows.memo | {"behind": torch.zeros_like(rows.memo["behind"])})
