"""The likelihood of a masked network by Monte Carlo over masks, with its standard error.

    answer of n tokens behind a context;  for m = 0 .. M-1:
        k = 1 + floor(n (m + u_m) / M)                      mask counts, one of each M-th part of them
        y_m = n/k * sum over k places, drawn without replacement, of log p(token | all other places)
    log p(answer | context) >= E[y],   estimated by the mean of y

E[y] is the mean over all orders of what the network gives when it writes one token a pass in that order. By Jensen's
inequality it is at most the log of the mean: a bound, and never to be put into one column with an exact likelihood. A
network of independent tokens has no gap. The standard error is the root of the sum of (y_m - y_m+1)**2 over the M/2
pairs, over M: as the two of a pair have masks of two parts, it is rather too large than too small.

Draws are those of harness/random.py, keyed by seed, item and number of the draw alone: all answers to one question
meet the same masks, as far as their lengths go.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor

from harness.kinds import Denoiser
from harness.random import Stream, uniform

PLACES = 1 << 20    # of one draw: uniforms of the next begin behind them


class Bound(NamedTuple):
    """nats: of log p, at most 0. error: its standard error in nats; 0 where nothing was drawn. passes: rows shown to
    the network.
    """

    nats: float
    error: float
    passes: int


def masks(seed: int, item: int, draws: int, n: int) -> tuple[Tensor, Tensor]:
    """Which of n places each draw masks, (draws, n) bool, and how many, (draws,) int64. item: below 2**32."""
    row = torch.tensor([item])
    part = uniform(seed, row, Stream.POSITION, torch.arange(draws))[0]             # (draws,)
    count = 1 + ((torch.arange(draws) + part) * n / draws).long().clamp_max(n - 1)
    index = torch.arange(draws)[:, None] * PLACES + torch.arange(n)                # (draws, n)
    times = uniform(seed, row, Stream.ORDER, index.view(-1))[0].view(draws, n)
    return times.argsort(1).argsort(1) < count[:, None], count


@torch.inference_mode()
def bound(net: Denoiser, context: Sequence[int], answer: Sequence[int], draws: int, seed: int, item: int,
          batch: int, device: str = "cpu") -> Bound:
    """Of log p(answer | context), token ids each; nothing is masked in the context. draws: even, at least 2. One token
    is one pass, without an error. Raises ValueError for another number of draws.
    """
    if draws < 2 or draws % 2:
        raise ValueError(f"draws={draws} must be an even number of at least 2: the standard error pairs them")
    n, before = len(answer), len(context)
    if not n:
        return Bound(0.0, 0.0, 0)
    hidden, count = masks(seed, item, draws if n > 1 else 1, n)                    # (M, n), (M,)
    row = torch.tensor([*context, *answer])
    found = []
    for some, k in zip(hidden.split(batch), count.split(batch)):
        x = row.repeat(len(some), 1)                                               # (b, L)
        x[:, before:][some] = net.mask
        at = torch.where(some, torch.arange(n), n).sort(1).values[:, : int(k.max())]    # (b, W) places in the answer
        true = row[before + at.clamp_max(n - 1)]                                   # (b, W)
        wanted = torch.where(at < n, before + at, -1)
        logits = net.draft(x.to(device), wanted.to(device))[0]                     # (b, W, V)
        each = logits.double().log_softmax(-1).gather(-1, true[..., None].to(device))[..., 0].cpu()
        found.append(torch.where(at < n, each, 0.0).sum(1) * n / k)
    y = torch.cat(found)                                                           # (M,) nats
    apart = y.view(-1, 2).diff(dim=1) if n > 1 else torch.zeros(1, 1)              # (M / 2, 1)
    return Bound(float(y.mean()), sqrt(float((apart**2).sum())) / len(y), len(y))


@torch.inference_mode()
def greedy(net: Denoiser, context: Sequence[int], answer: Sequence[int], device: str = "cpu") -> tuple[bool, int]:
    """Whether the network writes this answer where it takes the likeliest token at the surest place, one a pass, and
    the passes until that was known.
    """
    row = torch.tensor([[*context, *answer]], device=device)                       # (1, L)
    x, left, before, passes = row.clone(), [*range(len(answer))], len(context), 0
    x[:, before:] = net.mask
    while left:
        at = torch.tensor([left], device=device) + before                          # (1, W)
        p, token = net.draft(x, at)[0][0].double().softmax(-1).max(-1)             # (W,) each
        passes, best = passes + 1, int(p.argmax())
        place = before + left.pop(best)
        if int(token[best]) != int(row[0, place]):
            return False, passes
        x[0, place] = row[0, place]
    return True, passes


def spans(context: Sequence[int], answer: Sequence[int], most: int,
          block: int) -> Iterable[tuple[Sequence[int], Sequence[int]]]:
    """(context, answer) of each part of an answer: one, or one a block of the network, or as many as rows of `most`
    tokens allow. A network that writes blocks counts them from the beginning of the text.
    """
    row, done = [*context, *answer], len(context)
    while done < len(row):
        size = block - done % block if block else most if not done else max(most // 2, most - done)
        last = min(done + size, len(row))
        first = max(0, last - most)
        first += -first % block if block else 0
        yield row[first:done], row[done:last]
        done = last
