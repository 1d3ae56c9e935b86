"""The small steps that every sampler is made of: which positions, with what probability, and writing what was drawn.

A set of positions is carried as `at` (B, W): position numbers, -1 as padding, so that rows may reveal different numbers
of tokens.
"""

import numpy as np
import torch
from torch import Tensor

from harness.fused.operators import fused
from harness.kinds import Denoiser, Order, Rows
from harness.random import Stream, from_logits, uniform, uniforms
from harness.schedules.order import UNIFORM


def reveal_times(rows: Rows, order: Order = UNIFORM) -> Tensor:
    """Made of one uniform a position, -1 where a token is given, (B, L) float64. All samplers share it: common random
    numbers.

    A position is due when alpha reaches its time; the ranking of the times is the order sigma.
    """
    u = uniform(rows.seed, rows.id, Stream.ORDER, torch.arange(rows.x.shape[1], device=rows.x.device))
    return torch.where(rows.given, -1.0, order.times(u))


def order_of(rows: Rows, order: Order) -> Tensor:
    """sigma (B, L): given positions first, then the others by their times."""
    return reveal_times(rows, order).argsort(dim=1, stable=True)


def ranks_between(start: Tensor, stop: Tensor, width: int | None = None) -> Tensor:
    """Ranks start..stop-1 of each row, padded with -1, (B, W). Of a known `width` the host need not ask; it may be too
    large.
    """
    width = int((stop - start).max()) if width is None else width
    ranks = start[:, None] + torch.arange(width, device=start.device)
    return torch.where(ranks < stop[:, None], ranks, -1)


def places(order: Tensor, ranks: Tensor) -> Tensor:
    """Positions that hold these ranks, (B, W), -1 kept."""
    return torch.where(ranks < 0, -1, order.gather(1, ranks.clamp_min(0)))


def next_places(order: Tensor, start: Tensor, stop: Tensor, width: int | None = None) -> tuple[Tensor, Tensor]:
    """Ranks start..stop-1 (B,) of each row and the positions that hold them, (B, W) each; `width` as above."""
    width = int((stop - start).max()) if width is None else width
    return _ranked(order, start, stop, width)


@fused("ranked(Tensor order, Tensor start, Tensor stop, int width) -> (Tensor, Tensor)")
def _ranked(order: Tensor, start: Tensor, stop: Tensor, width: int) -> tuple[Tensor, Tensor]:
    ranks = ranks_between(start, stop, width)                                      # (B, W)
    return ranks, places(order, ranks)


def positions(chosen: Tensor, width: int | None = None) -> Tensor:
    """A boolean choice (B, L) as position numbers (B, W), ascending, padded with -1; `width` as above."""
    width = int(chosen.sum(1).max()) if width is None else width
    first = chosen.int().argsort(dim=1, descending=True, stable=True)[:, :width]
    return torch.where(chosen.gather(1, first), first, -1)


def foreseen(rows: Rows, ahead: Tensor) -> np.ndarray:
    """What the sampler's `ahead` (K, B) says of this round, on the host, which asks for it where it was not told."""
    return rows.known if len(rows.known) else ahead.cpu().numpy()


def probabilities(logits: Tensor) -> Tensor:
    """float64 softmax: a float32 one would round away the tail that a long run needs (arXiv 2409.02908)."""
    return torch.softmax(logits.double(), dim=-1)


@fused("filled(Tensor x, Tensor at, Tensor tokens) -> Tensor")
def fill(x: Tensor, at: Tensor, tokens: Tensor) -> Tensor:
    """x (B, L) with tokens (B, W) written at `at`."""
    room = torch.cat((x, x[:, :1]), dim=1)                                         # one spare column takes the padding
    return room.scatter(1, torch.where(at < 0, x.shape[1], at), tokens)[:, :-1]


def write(net: Denoiser, rows: Rows, at: Tensor, clock: Tensor | None = None) -> Rows:
    """One draft pass; a token drawn independently at each of `at`. Each position is written once, so it keys its
    uniform.
    """
    logits, _ = net.draft(rows.x, at, clock=clock)                                 # (B, W, V)
    u = uniform(rows.seed, rows.id, Stream.TOKEN, at.clamp_min(0))                 # (B, W)
    return rows._replace(x=fill(rows.x, at, from_logits(logits, u)[0]))


def anew(rows: Rows, stream: Stream, at: Tensor | None = None, part: int = 0, parts: int = 1) -> Tensor:
    """Uniforms of this round at positions `at` (B, W), -1 as padding, or at all (B, L), for samplers that come back to
    a position: the round that a row is in keys them too. A round that draws several times for one purpose tells the
    parts apart.
    """
    length = rows.x.shape[1]
    at = torch.arange(length, device=rows.x.device).expand_as(rows.x) if at is None else at.clamp_min(0)
    if at.device.type != "cpu":
        return uniforms(rows.seed, rows.id, rows.n, at, length, [stream], first=part, per_round=parts)[0]
    return uniform(rows.seed, rows.id, stream, (rows.n[:, None] * parts + part) * length + at)
