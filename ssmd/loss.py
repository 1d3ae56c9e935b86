"""The training loss of the hybrid: draft term and target term, each weighted D/(D-i) (arXiv 2510.03929, eq. 7, as reported).

    loss = E_{x, sigma, i} [ w_i / D * ( - sum_{k>i} log p_i^k(x)  -  sum_{k>i} log q_i^k(x) ) ]      nats per token

sigma is a uniform order, sigma(i+1..D) is masked, and the causal part reads true tokens (teacher forcing). The law of i is the
training noise schedule: i = floor(D alpha(t)) for uniform t has P(i) = t(i/D) - t((i+1)/D), and w_i = 1/(D P(i)) * D/(D-i) keeps
the expectation of the first term equal to the evidence bound of a masked diffusion model, whatever the schedule; for the
linear one w_i = D/(D-i). The law of i and the weight of the second term are ours: the paper's are not known.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.random import Stream, permutation, uniform


def mask_counts(schedule, rows: Tensor, length: int, seed: int, step: int, batch: int = 0) -> tuple[Tensor, Tensor]:
    """Draws of i, one a row, and their weights w_i. rows (B,) -> i (B,) int64, w (B,) float32; stratified over `batch` rows, these or more."""
    batch = batch or len(rows)
    shift = uniform(seed, torch.tensor([step]), Stream.TRAIN, torch.tensor([1 << 40]))
    t = (rows.cpu() % batch + shift[0]) / batch                                    # (B,) one in each batch-th of (0, 1), float64
    i = (length * schedule.alpha(t)).long().clamp(0, length - 1)                   # (B,)
    share = schedule.inverse(i.double() / length) - schedule.inverse((i + 1).double() / length)
    weight = 1 / (length * share) * length / (length - i)
    return i.to(rows.device), weight.float().to(rows.device)


def masked_batch(x: Tensor, i: Tensor, rows: Tensor, seed: int, mask: int) -> tuple[Tensor, Tensor, Tensor]:
    """x (B, L) -> masked x, order sigma (B, L), and which positions are masked (B, L) bool."""
    order = permutation(seed, rows, Stream.TRAIN, x.shape[1])                      # (B, L)
    hidden = order.argsort(dim=1) >= i[:, None]                                    # rank of each position, from 0
    return torch.where(hidden, mask, x), order, hidden


def draft_loss(logits: Tensor, x: Tensor, hidden: Tensor, weight: Tensor) -> Tensor:
    """logits (B, L, V) by position -> weighted nats per token."""
    nll = F.cross_entropy(logits.float().transpose(1, 2), x, reduction="none")     # (B, L)
    return (weight[:, None] * nll * hidden).sum() / x.numel()


def target_loss(logits: Tensor, x: Tensor, order: Tensor, i: Tensor, weight: Tensor) -> Tensor:
    """logits (B, L, V) by rank -> weighted nats per token."""
    late = torch.arange(x.shape[1], device=x.device) >= i[:, None]                 # (B, L) ranks still masked
    nll = F.cross_entropy(logits.float().transpose(1, 2), x.gather(1, order), reduction="none")
    return (weight[:, None] * nll * late).sum() / x.numel()
