"""The match ceiling (ours): passes that an oracle needs which knows the row that sampling one token a pass writes.

    while masks are left:  draft all places with the uniforms of that row;
                           keep along sigma what agrees with it, and at least one token

The row is the slow sampler's, so the law is its own by construction, and the run that wrote it is not billed.
"""

import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import order_of
from harness.schedules.order import OrderLaw


@torch.inference_mode()
def passes(net: Denoiser, y: Tensor, law: OrderLaw, seed: int, batch: int = 64) -> Tensor:
    """y (n, L), rows 0..n-1 of a sampler that writes along `law` -> draft passes of the oracle, (n,)."""
    return torch.cat([_passes(net, y[ids], law, ids, seed) for ids in torch.arange(len(y)).split(batch)])


def _passes(net: Denoiser, y: Tensor, law: OrderLaw, ids: Tensor, seed: int) -> Tensor:
    nothing, length = torch.full_like(y, net.mask), y.shape[1]
    order = order_of(Rows(nothing, nothing != net.mask, ids, torch.zeros_like(ids), seed, {}), law)    # (B, L)
    rank, places = order.argsort(1), torch.arange(length).expand_as(y)
    u = uniform(seed, ids, Stream.TOKEN, places)                                   # (B, L)
    i, taken = torch.zeros_like(ids), torch.zeros_like(ids)                        # (B,)
    while bool((i < length).any()):
        shown = torch.where(rank < i[:, None], y, net.mask)
        drawn = from_logits(net.draft(shown, places, None, i.double() / length)[0], u)[0]              # (B, L)
        ranks = torch.arange(length).expand_as(y)
        agrees = ((drawn == y).gather(1, order) | (ranks < i[:, None])).int().cumprod(1).sum(1)        # (B,) ranks
        taken += i < length
        i = agrees.maximum(i + 1).clamp_max(length)
    return taken
