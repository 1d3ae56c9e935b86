"""Light drafts, heavy verifies: speculative decoding (arXiv 2211.17192, Alg. 1) along a random order, with two masked
networks (the pairing is ours).

    while i < L:
        for r = i+1 .. i+k:    x at sigma(r) ~ p^r, the light law given the text before it
        q^r = the heavy law at sigma(r) given the same texts, r = i+1 .. i+k, side by side in one call
        f = first r with  U_r p^r(x) >= q^r(x)
        if there is one:   x at sigma(f) ~ max(0, q^f - p^f) / Z,  what was drafted behind it is dropped,  i = f
        else:              i += k

Law: exactly that of the heavy network alone, one token a pass along sigma (first hitting), whatever the light one
drafts and for every k; so exact for an ideal heavy network. A uniform is keyed by its position alone, since what was
dropped never entered a decision: k changes the cost and not one token. Cost: k light and k heavy passes of a sequence a
round, the heavy ones in one call. Nothing is saved but the waiting of k - 1 heavy calls.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows
from harness.nets.wrap import numbers, same_alphabet
from harness.param import Range, check, param
from harness.random import Stream, from_logits, probability_of, uniform
from harness.sampling.reveal import fill, foreseen, next_places, order_of
from harness.sampling.settle import settle
from harness.schedules.order import ORDERS, UNIFORM, OrderLaw


@dataclass(frozen=True)
class LightHeavy:
    """Speculative decoding along a random order with two masked networks: `light` drafts `tokens` tokens, one pass
    each, `main` tests them side by side in one call (arXiv 2211.17192, Alg. 1; the pairing is ours). The law is that of
    `main` alone, one token a pass. Raises ValueError if the two write unlike symbols.
    """

    tokens: int = param(4, Range(1, 4096, log=True), "k, drafts a round")
    order: OrderLaw = param(UNIFORM, ORDERS, "law of sigma")

    name: ClassVar[str] = "light_heavy"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main", "light")

    def __post_init__(self):
        check(self)

    def exact(self) -> "LightHeavy":
        return self

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        same_alphabet(nets["main"], nets["light"])
        order = order_of(rows, self.order)
        return {"order": order, "rank": order.argsort(1)}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """How many drafts a row has room for, (1, B)."""
        return (rows.x == nets["main"].mask).sum(1).clamp_max(self.tokens)[None]

    def step(self, nets, rows: Rows) -> Rows:
        length, order, mask = rows.x.shape[1], rows.memo["order"], nets["main"].mask
        many, = foreseen(rows, self.ahead(nets, rows))                             # (B,) drafts of each row
        i = (rows.x != mask).sum(1)                                                # (B,)
        e = (i + self.tokens).clamp_max(length)                                    # (B,)
        ranks, at = next_places(order, i, e, int(many.max()))                      # (B, W) each
        clock = ranks.clamp_min(0).double() / length                               # (B, W) share revealed before each
        token_u, accept_u, residual_u = (uniform(rows.seed, rows.id, s, at.clamp_min(0))
                                         for s in (Stream.TOKEN, Stream.ACCEPT, Stream.RESIDUAL))
        states, drafted, p, light = drafts(nets["light"], rows.x, at, clock, token_u, many)
        y = fill(rows.x, at, drafted)                                              # (B, L)
        nets["main"].tried(y, order, ranks)
        each = at.flatten()                                                        # (B W,)
        # (B, W, V)
        heavy = nets["main"].draft(states.flatten(0, 1), each[:, None], numbers(each >= 0, int(many.sum())),
                                   clock.flatten())[0].reshape(light.shape)
        q = probability_of(drafted, heavy, beside=accept_u * p)                    # (B, W)
        y, j, _ = settle(light, heavy, p, q, accept_u, residual_u, at, y, i, i, e)
        return rows._replace(x=torch.where(rows.memo["rank"] < j[:, None], y, mask))


def drafts(net: Denoiser, x: Tensor, at: Tensor, clock: Tensor, u: Tensor, many: np.ndarray,
           unread: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens one by one at `at` (B, W): the texts that each was drawn in (B, W, L), the tokens and their probabilities
    (B, W), the logits (B, W, V). `many` (B,) on the host: the places of each row. The first pass is asked for the
    places `unread` (B,) too, -1 for none.
    """
    found = []
    for k, (place, time, number) in enumerate(zip(at.split(1, 1), clock.unbind(1), u.split(1, 1))):
        both = place if k or unread is None else torch.stack((unread, place[:, 0]), 1)
        alive = numbers(place[:, 0] >= 0, int((many > k).sum()))                   # (R,) rows
        logits = net.draft(x, both, alive, time)[0][:, -1:]                        # (B, 1, V)
        tokens, p = from_logits(logits, number)                                    # (B, 1)
        found.append((x[:, None], tokens, p, logits))
        x = fill(x, place, tokens)
    states, drafted, p, light = (torch.cat(part, 1) for part in zip(*found))
    return states, drafted, p, light
