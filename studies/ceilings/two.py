"""Ceilings of two networks (ours): tests that a light network's drafts need at least, where it may draft to the end.

    match       an oracle keeps drafts, made with the uniforms of the heavy network's own row, until one differs
    coupling    a test of shares keeps draft r with chance a_r = sum_v min(p^r(v), q^r(v)), the most that any may

A test ends at the draft that it rejects, which is replaced, or at the end of the row. So of a row of L tokens the
oracle needs one test for each rank that differs, and one more if the last does not; the test of shares in the mean

    sum_r (1 - a_r) + a_L

over rows of the heavy law, whose texts before each rank are those that a test would meet.
"""

import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import order_of, probabilities
from harness.schedules.order import OrderLaw


@torch.inference_mode()
def tests(light: Denoiser, heavy: Denoiser, y: Tensor, law: OrderLaw, seed: int,
          batch: int = 64) -> tuple[Tensor, Tensor]:
    """y (n, L), rows 0..n-1 of one heavy token a pass along `law` -> tests of the oracle, and those expected of the
    test of shares, (n,) float64 each.
    """
    found = [_tests(light, heavy, y[ids], law, ids, seed) for ids in torch.arange(len(y)).split(batch)]
    match, coupling = zip(*found)
    return torch.cat(match), torch.cat(coupling)


def _tests(light: Denoiser, heavy: Denoiser, y: Tensor, law: OrderLaw, ids: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    nothing, length = torch.full_like(y, heavy.mask), y.shape[1]
    order = order_of(Rows(nothing, nothing != heavy.mask, ids, torch.zeros_like(ids), seed, {}), law)  # (B, L)
    rank = order.argsort(1)
    differs, share = [], []
    for r in range(length):
        at, shown, clock = order[:, r : r + 1], torch.where(rank < r, y, heavy.mask), torch.full(ids.shape, r / length)
        p, q = (net.draft(shown, at, None, clock.double())[0] for net in (light, heavy))               # (B, 1, V)
        drawn = from_logits(p, uniform(seed, ids, Stream.TOKEN, at))[0]            # (B, 1)
        differs.append((drawn != y.gather(1, at))[:, 0])
        share.append(torch.minimum(probabilities(p), probabilities(q)).sum(-1)[:, 0])
    wrong, kept = torch.stack(differs, 1).double(), torch.stack(share, 1)          # (B, L) each
    return wrong.sum(1) + 1 - wrong[:, -1], (1 - kept).sum(1) + kept[:, -1]
