"""Accept or reject drafts in order. Pure: no network, no randomness.

A draft y with probability p(y) under the draft and q(y) under the target is accepted if u p(y) < q(y); the first rejected one is
replaced by a draw from max(0, q - p) normalised (harness.random.residual), and nothing behind it is tested (arXiv 2211.17192).
"""

import torch
from torch import Tensor


def accept(p: Tensor, q: Tensor, y: Tensor, u: Tensor, start: Tensor, stop: Tensor) -> Tensor:
    """The first rejected column of each row, or `stop` if there is none.

    p, q (B, W, V) float64; y (B, W) drafted tokens; u (B, W) uniforms; columns start..stop-1 (B,) are tested.
    """
    token = y[..., None]                                                           # (B, W, 1)
    bad = u * p.gather(-1, token)[..., 0] >= q.gather(-1, token)[..., 0]           # (B, W)
    column = torch.arange(y.shape[1], device=y.device)
    bad &= (column >= start[:, None]) & (column < stop[:, None])
    return torch.where(bad.any(1), bad.int().argmax(1), stop)                      # argmax alone would call an all-accepted row 0
