"""The target term with the draft as its teacher (ours): at some ranks of a row the label is the frozen draft's own law
of that token when it reads all tokens before it, in the place of the token of the text.

    loss = E_{x, sigma, i, k} [ w_i (D - i) / D * CE( p(. | x at sigma(1..k-1)),  q^k ) ]     k uniform in i+1..D

Its optimum is q^k = p(. | x at sigma(1..k-1)): the law of the network one token a pass, whatever text the rows are. So
a block that learns in this way can gain nothing by knowing the text better than its network does, and self-speculation
then keeps the law of first-hitting sampling. Every label costs a draft pass. Where rows are written from the left and
every block of the draft looks left, one pass over the text has the law of every token after all before it: all ranks
are then labels, and the term is that of ssmd/train/loss.py with laws in the place of tokens.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.random import Stream, uniform
from ssmd.model import Hybrid
from ssmd.train.loss import weighed

INDEX = 1 << 60    # of the draws of ranks, behind those of orders


def taught_loss(net: Hybrid, logits: Tensor, x: Tensor, order: Tensor, i: Tensor, weight: Tensor, rows: Tensor,
                seed: int, k: int, labels: int, depth: int = 0) -> Tensor:
    """logits (B, L, V) by rank; x, order (B, L); i, weight, rows (B,) -> weighted nats per token, of `labels` ranks a
    row, of the first `depth` masked ones if that is not 0. `k` counts the orders of a draft pass.
    """
    left = x.shape[1] - i                                                          # (B,)
    reach = left.clamp_max(depth) if depth else left
    index = torch.arange(labels, device=x.device) + INDEX + k * labels
    at = i[:, None] + (uniform(seed, rows, Stream.TRAIN, index) * reach[:, None]).long()                   # (B, K)
    rank = order.argsort(1)
    total = logits.new_zeros((), dtype=torch.float32)
    for column in at.split(1, dim=1):                                              # (B, 1)
        shown = torch.where(rank < column, x, net.mask)                            # (B, L)
        with torch.no_grad():
            law = net.draft(shown, order.gather(1, column))[0][:, 0].float().softmax(-1)                   # (B, V)
        asked = logits.gather(1, column[..., None].expand(-1, -1, logits.shape[-1]))[:, 0].float()         # (B, V)
        total = total + (weight * left * F.cross_entropy(asked, law, reduction="none")).sum()
    return total / labels / x.numel()


def taught_from_left(net: Hybrid, logits: Tensor, x: Tensor, order: Tensor, i: Tensor, weight: Tensor,
                     depth: int = 0) -> Tensor:
    """The same of every rank, of the first `depth` masked ones if that is not 0, for a draft whose blocks all look left
    and rows that are written so: logits (B, L, V) by rank -> weighted nats per token.
    """
    with torch.no_grad():
        law = net.logits(net.hidden(x)).float().softmax(-1)                        # (B, L, V) by place
    by_rank = law.gather(1, order[..., None].expand_as(law))
    nll = F.cross_entropy(logits.float().transpose(1, 2), by_rank.transpose(1, 2), reduction="none")       # (B, L)
    return weighed(nll, i, weight, depth)
