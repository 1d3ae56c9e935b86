"""The target term on rows that the frozen draft wrote itself, along the order of their writing, with the laws that it
met there as labels (ours; ssmd/own_rows.py writes them).

    loss = E_{x, sigma, i} [ w_i / D * sum_{k>i} CE( p(. | x at sigma(1..k-1)),  q^k ) ]      nats per token

Its optimum is q^k = p(. | x at sigma(1..k-1)), as that of ssmd/train/taught.py, at every rank of a row and without a
pass for a label. Of a law the K likeliest tokens were kept. Where the token that was drawn is none of them it is added
to the label with weight one, so that the label's mean is the whole law.
"""

import torch
from torch import Tensor

from harness.data.drawn import Written
from ssmd.model import Hybrid
from ssmd.train.loss import draft_loss, mask_counts, weighed


def soft_nll(logits: Tensor, story: Written) -> Tensor:
    """logits (B, L, V) by rank -> (B, L) nats: cross-entropies with the laws that were met."""
    q = logits.float().log_softmax(-1)                                             # (B, L, V)
    token = story.rows.gather(1, story.order)[..., None]                           # (B, L, 1) by rank
    beyond = (story.likely != token).all(-1)                                       # (B, L)
    return -(story.law * q.gather(-1, story.likely)).sum(-1) - q.gather(-1, token)[..., 0] * beyond


def written_losses(net: Hybrid, story: Written, rows: Tensor, schedule, seed: int, step: int, batch: int = 0,
                   depth: int = 0, power: float = 1.0, given: float = 0.0) -> dict[str, Tensor]:
    """{"draft", "target"}: nats per token that is not given. The draft's loss is told and moves nothing."""
    x, length = story.rows, story.rows.shape[1]
    i, weight = mask_counts(schedule, rows, length, seed, step, batch, max(story.given, int(given * length)))
    hidden = story.order.argsort(1) >= i[:, None]                                  # (B, L)
    with torch.no_grad():
        h = net.hidden(torch.where(hidden, net.mask, x))                           # (B, L, d)
        draft = draft_loss(net.logits(h), x, hidden, weight)
    logits = net.target_logits(net.target_hidden(h, x, story.order, length))       # (B, L, V) by rank
    return {"draft": draft, "target": weighed(soft_nll(logits, story), i, weight, depth, power)}
