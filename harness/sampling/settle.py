"""What a verify pass decides of each row: which draft is the first rejected one, what is written in its place, and the
rank at which the next verify pass begins.

    f = accept(p, q, u);   if there is a rejected one:   y at sigma(f) ~ max(0, q^f - p^f) / Z,   j = f + 1
                           else   j = e

On a device this is one operator, and nobody asks how many rows had a draft rejected; see harness/fused/operators.py.
"""

import torch
from torch import Tensor

from harness.fused.operators import fused
from harness.random import residual
from harness.sampling.accept import accept
from harness.sampling.reveal import fill, probabilities


@fused("settled(Tensor logits, Tensor judged, Tensor p, Tensor q, Tensor u, Tensor v, Tensor at, Tensor y, Tensor i, "
       "Tensor j, Tensor e) -> (Tensor, Tensor, Tensor)")
def settle(logits: Tensor, judged: Tensor, p: Tensor, q: Tensor, u: Tensor, v: Tensor, at: Tensor, y: Tensor,
           i: Tensor, j: Tensor, e: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """logits, judged (B, W, V) of draft and target at the window, p, q (B, W) float64 what they give to the drafts, u,
    v (B, W) uniforms of acceptance and residual, at (B, W) positions, y (B, L); the window of a row begins at rank i
    (B,) and ends before e (B,), and its drafts before j (B,) have passed.

    Gives y, j and the first rejected column, e - i where there is none, of every row; a row with j = e has nothing to
    test, and keeps y and j.
    """
    alive, f = j < e, accept(p, q, u, j - i, e - i)                                # (B,) each
    y = fill(y, *redrawn(alive & (f < e - i), f, at, logits, judged, v))
    return y, torch.where(alive, torch.minimum(i + f + 1, e), j), f


def redrawn(rejected: Tensor, f: Tensor, at: Tensor, logits: Tensor, judged: Tensor,
            v: Tensor) -> tuple[Tensor, Tensor]:
    """The places of rejected drafts (B, 1), -1 for rows without one, and their new tokens (B, 1), drawn for every row.
    rejected, f (B,); at, v (B, W); logits, judged (B, W, V).
    """
    column = f.clamp_max(at.shape[1] - 1)[:, None]                                 # (B, 1)
    deep = column[..., None].expand(-1, -1, logits.shape[2])
    p_f, q_f = (probabilities(t.gather(1, deep)[:, 0]) for t in (logits, judged))  # (B, V) each
    token = residual(p_f, q_f, v.gather(1, column)[:, 0])                          # (B,)
    return torch.where(rejected[:, None], at.gather(1, column), -1), token[:, None]
