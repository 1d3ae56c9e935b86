"""Searched time grids: where along the text the passes of a parallel sampler should fall. Both searches give alphas for harness.schedule.Knots, for any host.

By information (ours, an exact dynamic programme; schedules from information profiles: arXiv 2510.25544, arXiv 2511.04647):

    h(i) = mean nats of a masked token when i are known, under uniformly drawn orders
    a pass that reveals ranks i..j-1 from what was known at i loses      sum_{m=i}^{j-1} h(i) - h(m)      nats against one token a pass
    grid = the N passes that lose least, over all grids of counts

The loss is exact for an ideal network: the chain rule along an order, whose terms average to h. So the best grid has no free parameter.

Jump Your Steps (arXiv 2410.07761), for a network without clock and exact reveal probabilities, where its bound is a KL of predictions:

    loss(t1, t2, t3) = E[ tokens revealed between t2 and t3  x  mean over masked l of KL(p_l(. | x_t2) || p_l(. | x_t1)) ],     x_t1 masks all that x_t2 masks
    until there are N intervals:   split the interval whose best t2 gains most, at that t2 (golden section)

Search on rows that are not evaluated on; its passes are part of the result and belong into every comparison.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import isotonic_regression
from torch import Tensor

from harness.kinds import Denoiser
from harness.random import Stream, uniform


class Grid(NamedTuple):
    alphas: tuple[float, ...]    # N + 1, from 0 to 1
    passes: int                  # rows x passes that the search took


def revealed_at(n: int, length: int, seed: int) -> Tensor:
    """The alpha at which each position of each row is revealed, (n, L): one nested set of masks a row."""
    return uniform(seed, torch.arange(n), Stream.POSITION, torch.arange(length))


@torch.inference_mode()
def profile(net: Denoiser, rows: Tensor, at: Tensor, seed: int = 0, batch: int = 64) -> Tensor:
    """h: mean nats of a masked token of rows (n, L) when `at` (K,) tokens are known -> (K,) float64."""
    ranks = revealed_at(*rows.shape, seed).argsort(1).argsort(1)                   # (n, L)
    sums = torch.zeros(len(at), dtype=torch.float64)
    for part in torch.arange(len(rows)).split(batch):
        for k, known in enumerate(at.tolist()):
            hidden = ranks[part] >= known                                          # (b, L)
            logp = net.draft(rows[part].masked_fill(hidden, net.mask))[0].double().log_softmax(-1)
            sums[k] -= logp.gather(-1, rows[part][..., None])[..., 0][hidden].sum()
    return sums / (len(rows) * (rows.shape[1] - at))


def smooth(at: Tensor, h: Tensor, length: int) -> Tensor:
    """h at every count (L,): what is known more can only help, so the curve is made to fall, and straight lines join what was measured."""
    falling = isotonic_regression(h.numpy(), increasing=False).x
    return torch.from_numpy(np.interp(np.arange(length), at.numpy(), falling))


def lost(h: Tensor, counts: tuple[int, ...]) -> float:
    """Nats a text that passes starting at these counts (0 first) lose against one token a pass; h (L,)."""
    ends = (*counts[1:], len(h))
    return float(sum((h[i] - h[i:j]).sum() for i, j in zip(counts, ends)))


def by_information(h: Tensor, steps: int) -> tuple[int, ...]:
    """The counts at which the `steps` passes start that lose least, by dynamic programming over h (L,)."""
    length, total = len(h), torch.cat((h.new_zeros(1), h.cumsum(0)))
    ends = torch.arange(length + 1)
    price = h[:, None] * (ends - ends[:-1, None]) - (total - total[:-1, None])     # (L, L + 1): of a pass from i to j
    price[ends <= ends[:-1, None]] = torch.inf
    best, came = torch.full((length + 1,), torch.inf, dtype=h.dtype), []
    best[0] = 0
    for _ in range(steps):
        best, source = (best[:-1, None] + price).min(0)
        came.append(source)
    counts = [length]
    for source in reversed(came):
        counts.append(int(source[counts[-1]]))
    return tuple(reversed(counts[1:]))


def information_grid(net: Denoiser, rows: Tensor, steps: int, points: int = 17, seed: int = 0) -> Grid:
    """Measure h at `points` counts and take the best grid. Raises ValueError for more steps than positions."""
    length = rows.shape[1]
    if not 1 <= steps <= length:
        raise ValueError(f"a grid of {steps} steps does not fit a text of {length} tokens; choose 1 to {length}")
    at = torch.linspace(0, length - 1, min(points, length)).round().long().unique()
    counts = by_information(smooth(at, profile(net, rows, at, seed), length), steps)
    return Grid((*(c / length for c in counts), 1.0), len(at) * len(rows))


def jump_your_steps(net: Denoiser, rows: Tensor, steps: int, evaluations: int = 16, seed: int = 0) -> Grid:
    """Split intervals until there are `steps`; `evaluations` losses a golden-section search, each a pass of every row."""
    times, length, passes = revealed_at(*rows.shape, seed), rows.shape[1], 0
    shown: dict[float, Tensor] = {}

    @torch.inference_mode()
    def predicted(alpha: float) -> Tensor:
        """Log predictions at every place when all that comes by alpha is known, (n, L, V)."""
        nonlocal passes
        passes += len(rows)
        return net.draft(rows.masked_fill(times >= alpha, net.mask))[0].double().log_softmax(-1)

    def gain(first: Tensor, a: float, b: float, c: float) -> float:
        later = predicted(b)
        kl = torch.where(later == -torch.inf, 0.0, later.exp() * (later - first)).sum(-1)         # (n, L)
        hidden = times >= b
        return float((kl * hidden).sum(1).div(hidden.sum(1).clamp_min(1)).mean() * (c - b) * length)

    def split(a: float, c: float) -> tuple[float, float, float, float]:
        if a not in shown:
            shown[a] = predicted(a)
        b, best = _golden(lambda b: gain(shown[a], a, b, c), a, c, evaluations)
        return best, a, b, c

    knots, waiting = [0.0, 1.0], [] if steps == 1 else [split(0.0, 1.0)]
    while len(knots) <= steps:
        waiting.sort()
        _, a, b, c = waiting.pop()
        knots.append(b)
        if len(knots) <= steps:
            waiting += [split(a, b), split(b, c)]
    return Grid(tuple(sorted(knots)), passes)


def _golden(f, a: float, c: float, evaluations: int) -> tuple[float, float]:
    """The place of the largest of f between a and c that golden section meets, and its value."""
    share = (sqrt(5) - 1) / 2
    left, right = c - share * (c - a), a + share * (c - a)
    seen = {left: f(left), right: f(right)}
    for _ in range(evaluations - 2):
        if seen[left] > seen[right]:
            c, right, left = right, left, right - share * (right - a)
            seen[left] = f(left)
        else:
            a, left, right = left, right, left + share * (c - left)
            seen[right] = f(right)
    best = max(seen, key=seen.get)
    return best, seen[best]
