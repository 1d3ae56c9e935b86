"""Accept or reject drafts in order. Pure: no network, no randomness.

A draft y with probability p(y) under the draft and q(y) under the target is accepted if u p(y) < q(y); the first
rejected one is replaced by a draw from max(0, q - p) normalised (harness.random.residual), and nothing behind it is
tested (arXiv 2211.17192).
"""

import torch
from torch import Tensor


def accept(p: Tensor, q: Tensor, u: Tensor, start: Tensor, stop: Tensor) -> Tensor:
    """The first rejected column of each row, or `stop` if there is none.

    p, q (B, W) float64, the probabilities of the drafted tokens; u (B, W) uniforms; columns start..stop-1 (B,) are
    tested.
    """
    bad = u * p >= q                                                               # (B, W)
    column = torch.arange(p.shape[1], device=p.device)
    bad &= (column >= start[:, None]) & (column < stop[:, None])
    return torch.where(bad.any(1), bad.int().argmax(1), stop)  # argmax alone would call an all-accepted row 0
