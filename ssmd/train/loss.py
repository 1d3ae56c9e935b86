"""The training loss of the hybrid: draft term and target term, each weighted D/(D-i) (arXiv 2510.03929, eq. 7, as
reported).

    loss = E_{x, sigma, i} [ w_i / D * ( - sum_{k>i} log p_i^k(x)  -  sum_{k>i} log q_i^k(x) ) ]      nats per token

sigma is an order, uniform unless the settings name another law (`order`, ours), sigma(i+1..D) is masked, and the causal
part reads true tokens (teacher forcing). The law of i is the training noise schedule: i = floor(D alpha(t)) for uniform
t has P(i) = t(i/D) - t((i+1)/D), and w_i = 1/(D P(i)) * D/(D-i) keeps the expectation of the first term equal to the
evidence bound of a masked diffusion model, whatever the schedule; for the linear one w_i = D/(D-i). The law of i and
the weight of the second term are ours: the paper's are not known.

A verify pass tests a window of w tokens, so a target is asked for at depths k - i = 1..w alone. `depth` keeps the
second term to those, their sum scaled by (D-i) / min(D-i, depth) so that its size does not change. `power` puts
(D/(D-i))^power in the place of D/(D-i) in the second term, over its mean over uniform i per masked token, so that the
size of the term does not change: 0 counts each token alike, 2 leans to the last tokens. Both are ours, ablations of
that term's weight.

Where a part of every row will be given, as a prompt, the network never sees less than that part. `given` is the number
of its tokens, of all rows or of each: i is then uniform over given..D-1 for the linear schedule, and the loss is nats
per token that is not given (ours). `known` says which places these are; without it they are any.

The draft knows which places are masked and no order. So one pass of it serves several orders of them (`orders`, ours):
the target term is their mean, with the same expectation and less variance a pass.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.random import Stream, uniform
from harness.schedules.order import UNIFORM, OrderLaw


def mask_counts(schedule, rows: Tensor, length: int, seed: int, step: int, batch: int = 0,
                given: int | Tensor = 0) -> tuple[Tensor, Tensor]:
    """Draws of i >= given, one a row, and their weights w_i. rows (B,) -> i (B,) int64, w (B,) float32; stratified over
    `batch` rows, these or more.
    """
    batch, given = batch or len(rows), torch.as_tensor(given).cpu()                # () or (B,)
    free = length - given
    shift = uniform(seed, torch.tensor([step]), Stream.TRAIN, torch.tensor([1 << 40]))
    t = (rows.cpu() % batch + shift[0]) / batch  # (B,) one in each batch-th of (0, 1), float64
    i = (free * schedule.alpha(t)).long().minimum(free - 1)                        # (B,) beside what is given
    share = schedule.inverse(i.double() / free) - schedule.inverse((i + 1).double() / free)
    weight = 1 / (free * share) * length / (free - i)
    return (given + i).to(rows.device), weight.float().to(rows.device)


def masked_batch(x: Tensor, i: Tensor, rows: Tensor, seed: int, mask: int, known: Tensor | None = None,
                 law: OrderLaw = UNIFORM) -> tuple[Tensor, Tensor, Tensor]:
    """x (B, L) -> masked x, order sigma (B, L) of a law, and which positions are masked (B, L) bool; what is `known`
    (B, L) stands first in the order.
    """
    u = uniform(seed, rows, Stream.TRAIN, torch.arange(x.shape[1], device=x.device))
    order = law.times(u).argsort(dim=1, stable=True)                               # (B, L)
    if known is not None:
        order = order.gather(1, (~known).gather(1, order).int().argsort(dim=1, stable=True))
    hidden = order.argsort(dim=1) >= i[:, None]                                    # rank of each position, from 0
    return torch.where(hidden, mask, x), order, hidden


def reordered(order: Tensor, hidden: Tensor, rows: Tensor, seed: int, k: int) -> Tensor:
    """The k-th order of a row with the same places masked, (B, L): fresh orders of what is known and of what is masked.
    The 0th is `order` itself.
    """
    if not k:
        return order
    index = torch.arange(order.shape[1], device=order.device) + (k << 42)
    fresh = uniform(seed, rows, Stream.TRAIN, index).argsort(dim=1, stable=True)   # (B, L)
    return fresh.gather(1, hidden.gather(1, fresh).int().argsort(dim=1, stable=True))


def draft_loss(logits: Tensor, x: Tensor, hidden: Tensor, weight: Tensor) -> Tensor:
    """logits (B, L, V) by position -> weighted nats per token."""
    nll = F.cross_entropy(logits.float().transpose(1, 2), x, reduction="none")     # (B, L)
    return (weight[:, None] * nll * hidden).sum() / x.numel()


def target_loss(logits: Tensor, x: Tensor, order: Tensor, i: Tensor, weight: Tensor, depth: int = 0,
                power: float = 1.0) -> Tensor:
    """logits (B, L, V) by rank -> weighted nats per token."""
    nll = F.cross_entropy(logits.float().transpose(1, 2), x.gather(1, order), reduction="none")
    return weighed(nll, i, weight, depth, power)


def weighed(nll: Tensor, i: Tensor, weight: Tensor, depth: int = 0, power: float = 1.0) -> Tensor:
    """nll (B, L) by rank -> weighted nats per token; of the first `depth` masked ranks alone, if it is not 0; weights
    to another `power`.
    """
    length = nll.shape[1]
    ranks = torch.arange(length, device=nll.device)
    if power != 1:
        lean = (length / (length - ranks)) ** (power - 1)                          # (L,) of i = 0..L-1
        weight = weight * (lean / lean.mean())[i]
    late = ranks >= i[:, None]                                                     # (B, L) ranks still masked
    if depth:
        left = length - i                                                          # (B,)
        late, weight = late & (ranks < i[:, None] + depth), weight * left / left.clamp_max(depth)
    return (weight[:, None] * nll * late).sum() / nll.numel()
