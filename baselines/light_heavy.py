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

import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows
from harness.nets.wrap import same_alphabet
from harness.param import Range, check, param
from harness.random import Stream, from_logits, probability_of, residual, uniform
from harness.sampling.accept import accept
from harness.sampling.reveal import fill, order_of, places, probabilities, ranks_between
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
        return {"order": order_of(rows, self.order)}

    def step(self, nets, rows: Rows) -> Rows:
        length = rows.x.shape[1]
        i = (rows.x != nets["main"].mask).sum(1)                                   # (B,)
        ranks = ranks_between(i, (i + self.tokens).clamp_max(length))              # (B, W)
        at = places(rows.memo["order"], ranks)                                     # (B, W)
        clock = ranks.clamp_min(0).double() / length                               # (B, W) share revealed before each
        token_u, accept_u, residual_u = (uniform(rows.seed, rows.id, s, at.clamp_min(0))
                                         for s in (Stream.TOKEN, Stream.ACCEPT, Stream.RESIDUAL))
        states, drafted, p, light = drafts(nets["light"], rows.x, at, clock, token_u)
        nets["main"].tried(fill(rows.x, at, drafted), rows.memo["order"], ranks)
        each = at.flatten()                                                        # (B W,)
        # (B, W, V)
        heavy = nets["main"].draft(states.flatten(0, 1), each[:, None], each >= 0,
                                   clock.flatten())[0].reshape(light.shape)
        wrote = (at >= 0).sum(1)                                                   # (B,)
        # (B,) column of the first rejection
        f = accept(p, probability_of(drafted, heavy, beside=accept_u * p), accept_u, torch.zeros_like(wrote), wrote)
        rejected = (f < wrote).nonzero()[:, 0]                                     # (R,) rows
        column = f[rejected]                                                       # (R,)
        p_f, q_f = (probabilities(t[rejected, column]) for t in (light, heavy))    # (R, V) each
        tokens = drafted.index_put((rejected, column), residual(p_f, q_f, residual_u[rejected, column]))    # (B, W)
        place = torch.arange(at.shape[1], device=at.device)
        return rows._replace(x=fill(rows.x, torch.where(place <= f[:, None], at, -1), tokens))


def drafts(net: Denoiser, x: Tensor, at: Tensor, clock: Tensor, u: Tensor,
           unread: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens one by one at `at` (B, W): the texts that each was drawn in (B, W, L), the tokens and their probabilities
    (B, W), the logits (B, W, V). The first pass is asked for the places `unread` (B,) too, -1 for none.
    """
    found = []
    for k, (place, time, number) in enumerate(zip(at.split(1, 1), clock.unbind(1), u.split(1, 1))):
        both = place if k or unread is None else torch.stack((unread, place[:, 0]), 1)
        logits = net.draft(x, both, place[:, 0] >= 0, time)[0][:, -1:]             # (B, 1, V)
        tokens, p = from_logits(logits, number)                                    # (B, 1)
        found.append((x[:, None], tokens, p, logits))
        x = fill(x, place, tokens)
    states, drafted, p, light = (torch.cat(part, 1) for part in zip(*found))
    return states, drafted, p, light
