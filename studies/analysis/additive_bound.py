"""Where a light network costs what: KL and loss gap between two networks over the share of text revealed (arXiv
2604.02340; formulas ours).

At alpha revealed, for the masked positions l of a row:
    kl(alpha)      = sum_l KL(p_H(. | x) || p_L(. | x)) / number masked
    lossgap(alpha) = sum_l [log p_H(x_l | x) - log p_L(x_l | x)] / number masked         on data rows, whose masked
                                                                                         tokens are known
as ratios of sums over rows, not means of row means, and without the 1/t weight of the training bound: revealing is
uniform in t.

What a schedule loses is bounded by adding these up over its light steps:
    KL(law of all-heavy || law of scheduled) <= sum over light steps of E_H[tokens revealed] * kl at that step
with kl on states that the all-heavy sampler meets (path-wise an equality; information is lost from the path to the
text). Those states need no second run: a finished text and its reveal times say what was visible at every alpha.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Denoiser, Placement, Rows
from harness.sampling.reveal import reveal_times
from harness.stats.intervals import resampled_sums


class Gaps(NamedTuple):
    """Sums over masked positions, (n, K) float64 each, one column an alpha; divide the sums to get means."""

    kl: Tensor
    gap: Tensor
    masked: Tensor


@torch.inference_mode()
def gaps(heavy: Denoiser, light: Denoiser, x: Tensor, times: Tensor, alphas: Tensor, batch: int = 128) -> Gaps:
    """x (n, L) whole rows, times (n, L) the alpha at which each position is revealed, alphas (K,) -> Gaps."""
    kl, gap, masked = (torch.zeros(len(x), len(alphas), dtype=torch.float64) for _ in range(3))
    for part in torch.arange(len(x), device=x.device).split(batch):
        for k, alpha in enumerate(alphas):
            hidden = times[part] >= alpha                                          # (b, L)
            state = torch.where(hidden, heavy.mask, x[part])
            p, q = (net.draft(state)[0].double().log_softmax(-1) for net in (heavy, light))     # (b, L, V)
            true = x[part][..., None]
            excess = torch.where(p == -torch.inf, 0.0, p.exp() * (p - q)).sum(-1)
            kl[part, k] = (excess * hidden).sum(1).cpu()
            gap[part, k] = torch.where(hidden, (p.gather(-1, true) - q.gather(-1, true))[..., 0], 0.0).sum(1).cpu()
            masked[part, k] = hidden.sum(1).double().cpu()
    return Gaps(kl, gap, masked)


def as_revealed(x: Tensor, seed: int) -> Tensor:
    """The alpha at which each position of whole rows x (n, L) was revealed, or would have been, under the study's seed,
    (n, L) float64.
    """
    ids = torch.arange(len(x))
    return reveal_times(Rows(x, torch.zeros_like(x, dtype=torch.bool), ids, torch.zeros_like(ids), seed, {}))


def centres(pieces: int) -> Tensor:
    """alpha in the middle of each of `pieces` equal parts of the text, (pieces,) float64."""
    return (torch.arange(pieces, dtype=torch.float64) + 0.5) / pieces


def predicted_loss(kl: Tensor, placement: Placement) -> float:
    """Nats a token that a schedule may lose by the additive bound; kl (K,) at `centres(K)`."""
    return float(kl[placement.light(centres(len(kl)))].sum() / len(kl))


def predicted_losses(found: Gaps, placements: Sequence[Placement], resamples: int, seed: int = 0,
                     lane: int = 0) -> np.ndarray:
    """predicted_loss of each placement, (1 + resamples, P): of the rows as they are, then of each resample of them; one
    column of `found` a piece.
    """
    pieces = found.kl.shape[1]
    sums = resampled_sums(torch.cat((found.kl, found.masked), 1).numpy(), resamples, seed, lane)
    charged = torch.stack([placement.light(centres(pieces)) for placement in placements]).double().numpy()  # (P, K)
    return sums[:, :pieces] / sums[:, pieces:] @ charged.T / pieces
