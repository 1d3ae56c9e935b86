"""Searched time grids: where along the text the passes of a parallel sampler should fall. Both searches give alphas for
harness.schedules.noise.Knots, for any host.

By information (ours, an exact dynamic programme; schedules from information profiles: arXiv 2510.25544, arXiv
2511.04647):

    h(i) = mean nats of a masked token when i are known, under uniformly drawn orders
    a pass that reveals ranks i..j-1 from what was known at i loses, in nats against one token a pass,
        sum_{m=i}^{j-1} h(i) - h(m)
    grid = the N passes that lose least, over all grids of counts

The loss is exact for an ideal network: the chain rule along an order, whose terms average to h. So the best grid has no
free parameter.

Jump Your Steps (arXiv 2410.07761), for a network without clock and exact reveal probabilities, where its bound is a KL
of predictions:

    loss(t1, t2, t3) = E[ tokens revealed between t2 and t3
                          x  mean over masked l of KL(p_l(. | x_t2) || p_l(. | x_t1)) ],  x_t1 masks all that x_t2 masks
    until there are N intervals:   split the interval whose best t2 gains most, at that t2 (golden section)

Search on rows that are not evaluated on; its passes are part of the result and belong into every comparison.
"""

import json
from collections.abc import Collection, Iterator
from itertools import islice
from math import sqrt
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
from msgspec import Meta, Struct
from scipy.optimize import isotonic_regression
from torch import Tensor

from harness.boundary import incoming
from harness.boundary.atomic import write_text
from harness.boundary.incoming import Count, Size
from harness.kinds import Denoiser
from harness.random import Stream, uniform
from harness.schedules.noise import Knots

AGAIN = "write it with `ssmd-bench grid`"


class Grid(NamedTuple):
    """A searched time grid, and what its search cost."""

    alphas: tuple[float, ...]    # N + 1, from 0 to 1
    passes: int                  # rows x passes that the search took, up to this grid

    @property
    def steps(self) -> int:
        """N, the steps of the grid."""
        return len(self.alphas) - 1


def revealed_at(rows: Tensor, seed: int) -> Tensor:
    """The alpha at which each position of rows (n, L) is revealed, (n, L) beside them: one nested set of masks a
    row.
    """
    row, place = (torch.arange(count, device=rows.device) for count in rows.shape)
    return uniform(seed, row, Stream.POSITION, place)


@torch.inference_mode()
def profile(net: Denoiser, rows: Tensor, at: Tensor, seed: int = 0, batch: int = 64) -> Tensor:
    """h: mean nats of a masked token of rows (n, L) when `at` (K,) tokens are known -> (K,) float64."""
    ranks = revealed_at(rows, seed).argsort(1).argsort(1)                          # (n, L)
    sums = torch.zeros(len(at), dtype=torch.float64)
    for part, rank in zip(rows.split(batch), ranks.split(batch)):                  # (b, L) each
        for k, known in enumerate(at.tolist()):
            hidden = rank >= known                                                 # (b, L)
            logp = net.draft(part.masked_fill(hidden, net.mask))[0].double().log_softmax(-1)
            sums[k] -= float(logp.gather(-1, part[..., None])[..., 0][hidden].sum())
    return sums / (len(rows) * (rows.shape[1] - at))


def smooth(at: Tensor, h: Tensor, length: int) -> Tensor:
    """h at every count (L,): what is known more can only help, so the curve is made to fall, and straight lines join
    what was measured.
    """
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


def information_grids(net: Denoiser, rows: Tensor, steps: Collection[int], points: int = 17,
                      seed: int = 0) -> dict[int, Grid]:
    """The best grid of each number of steps, of one profile measured at `points` counts. Raises ValueError for steps
    that do not fit the text.
    """
    length = _fitting(steps, rows)
    at = torch.linspace(0, length - 1, min(points, length)).round().long().unique()
    h = smooth(at, profile(net, rows, at, seed), length)
    return {n: Grid((*(c / length for c in by_information(h, n)), 1.0), len(at) * len(rows)) for n in steps}


def jump_your_steps(net: Denoiser, rows: Tensor, steps: Collection[int], evaluations: int = 16,
                    seed: int = 0) -> dict[int, Grid]:
    """Grids of these numbers of steps, each a refinement of those before it, so that one search makes them all. Raises
    ValueError as above.
    """
    _fitting(steps, rows)
    return {grid.steps: grid for grid in islice(refined(net, rows, evaluations, seed), max(steps))
            if grid.steps in steps}


def refined(net: Denoiser, rows: Tensor, evaluations: int, seed: int) -> Iterator[Grid]:
    """Jump Your Steps: grids of 1, 2, 3, .. steps; `evaluations` losses a golden-section search, each a pass of every
    row.
    """
    times, length, passes = revealed_at(rows, seed), rows.shape[1], 0

    @torch.inference_mode()
    def predicted(alpha: float) -> Tensor:
        """Log predictions at every place when all that comes by alpha is known, (n, L, V)."""
        nonlocal passes
        passes += len(rows)
        return net.draft(rows.masked_fill(times >= alpha, net.mask))[0].double().log_softmax(-1)

    def gain(first: Tensor, b: float, c: float) -> float:
        later = predicted(b)
        kl = torch.where(later == -torch.inf, 0.0, later.exp() * (later - first)).sum(-1)         # (n, L)
        hidden = times >= b
        return float((kl * hidden).sum(1).div(hidden.sum(1).clamp_min(1)).mean() * (c - b) * length)

    def split(a: float, c: float) -> tuple[float, float, float, float]:
        first = predicted(a)
        b, best = _golden(lambda b: gain(first, b, c), a, c, evaluations)
        return best, a, b, c

    knots, waiting, unsplit = [0.0, 1.0], [], [(0.0, 1.0)]
    while True:
        yield Grid(tuple(sorted(knots)), passes)
        waiting += [split(a, c) for a, c in unsplit]
        waiting.sort()
        _, a, b, c = waiting.pop()
        knots.append(b)
        unsplit = [(a, b), (b, c)]


SEARCHES = {"information": information_grids, "jump_your_steps": jump_your_steps}


def _fitting(steps: Collection[int], rows: Tensor) -> int:
    """The length of rows (n, L), if grids of those steps fit it."""
    length = rows.shape[1]
    if wrong := [n for n in steps if not 1 <= n <= length]:
        raise ValueError(f"a grid of {wrong[0]} steps does not fit a text of {length} tokens; choose 1 to {length}")
    return length


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
    best = max(seen, key=seen.__getitem__)
    return best, seen[best]


def write(path: Path, document: dict) -> None:
    """What `ssmd-bench grid` found, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(document, indent=1) + "\n")


class Found(Struct):
    """A grid of a file, and what its search took, in rows x passes."""

    by: str
    steps: Size
    alphas: list[Annotated[float, Meta(ge=0, le=1)]]
    passes: Count


class Document(Struct):
    """What a file of `ssmd-bench grid` holds."""

    grids: list[Found]


def searches(path: Path) -> list[Found]:
    """The grids of a file that `ssmd-bench grid` wrote. Raises ValueError, in a sentence, for another."""
    return incoming.read(path, Document, AGAIN).grids


def read(path: Path) -> dict[tuple[str, int], Knots]:
    """(search, steps) -> schedule, of a file of `ssmd-bench grid`. Raises ValueError as above."""
    found = searches(path)
    try:
        return {(g.by, g.steps): Knots(tuple(g.alphas)) for g in found}
    except ValueError as error:
        raise ValueError(f"{path}: {error}: {AGAIN}") from None
