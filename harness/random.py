"""Randomness is a function, not a state: every draw is uniform(seed, row, stream, index).

A row's sample then depends on its seed alone - not on the batch it rides in, on rows that finished earlier, or on
which sampler ran before - and common random numbers across arms come for free. This is the only file that draws.

Generator: Philox4x32-10 of "Parallel Random Numbers: As Easy as 1, 2, 3" (Salmon et al., SC 2011; Random123), written
in int64 tensor arithmetic so that CPU and GPU give the same bits. Key = the 64-bit seed; counter = (index low, index
high, row, stream); words 0 and 1 of the block become one float64 in the open interval (0, 1) with 52 random bits.

Categorical draws invert the cumulative distribution in float64 and spend one uniform each: no exponential race, no
float32, hence none of the truncation described in arXiv 2409.02908.

    >>> uniform(7, torch.tensor([0, 1]), Stream.TOKEN, torch.arange(3)).shape
    torch.Size([2, 3])
"""

from collections.abc import Iterator
from enum import IntEnum

import torch
from torch import Tensor

_M32 = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
CACHED = 2**18    # float64 numbers that a core keeps near


class Stream(IntEnum):
    """One stream a purpose, so that no two decisions ever share a uniform."""

    ORDER = 1      # the time at which each position is revealed; its ranking is the order sigma
    POSITION = 2   # further position draws (remasking, random tie-breaks)
    TOKEN = 3      # tokens written by samplers that draw a position once
    DRAFT = 4      # tokens proposed by a draft pass
    ACCEPT = 5     # acceptance tests
    RESIDUAL = 6   # replacement of a rejected token
    DATA = 7       # rows of a data set, prompts
    SCHEDULE = 8   # random placements of a model schedule
    RESAMPLE = 9   # bootstrap and permutation tests
    TRAIN = 10     # batches, orders and mask counts of training


def philox4x32(counter: tuple[Tensor, Tensor, Tensor, Tensor],
               key: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Philox4x32-10: four int64 tensors that hold 32-bit counter words, two key words -> four 32-bit output words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0 = c0 * _MULTIPLIERS[0]   # the 64-bit product wraps in int64; its bits are still right
        p1 = c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (p1 >> 32 & _M32) ^ c1 ^ k0, p1 & _M32, (p0 >> 32 & _M32) ^ c3 ^ k1, p0 & _M32
        k0 = (k0 + _WEYL[0]) & _M32
        k1 = (k1 + _WEYL[1]) & _M32
    return c0, c1, c2, c3


def uniform(seed: int, row: Tensor, stream: Stream, index: Tensor) -> Tensor:
    """float64 uniforms in (0, 1), one for each (row, index).

    row (B,) int64 below 2**32; index int64, either (K,) shared by all rows or (B, K) per row -> (B, K).
    """
    index = index if index.dim() == 2 else index.expand(row.shape[0], -1)
    words = philox4x32(
        (index & _M32, index >> 32 & _M32, (row & _M32)[:, None].expand_as(index), torch.full_like(index, int(stream))),
        (seed & _M32, seed >> 32 & _M32),
    )
    bits = (words[0] >> 6) * 2**26 + (words[1] >> 6)    # 52 bits: adding one half stays exact in float64
    return (bits.double() + 0.5) * 2.0**-52             # (B, K)


def permutation(seed: int, row: Tensor, stream: Stream, n: int) -> Tensor:
    """A uniform permutation of 0..n-1 for each row, (B, n): the ranking of n uniforms."""
    return uniform(seed, row, stream, torch.arange(n, device=row.device)).argsort(dim=1, stable=True)


def integers(seed: int, row: Tensor, stream: Stream, index: Tensor, high: int) -> Tensor:
    """Uniform integers in 0..high-1, (B, K). The bias of scaling 52 bits is below high * 2**-52."""
    return (uniform(seed, row, stream, index) * high).long().clamp_(max=high - 1)


def categorical(p: Tensor, u: Tensor) -> Tensor:
    """Inverse-CDF draw. p (..., V) float64 weights, not necessarily normalised; u (...) in (0, 1) -> (...) int64.

    A value of weight zero is never returned, also when u sits at the very end of the table.
    """
    assert p.dtype == torch.float64, "categorical draws are made in float64"
    return _inverse(p.cumsum(-1), u)


def _inverse(cdf: Tensor, u: Tensor) -> Tensor:
    """cdf (..., V) cumulative weights, u (...) -> (...) int64."""
    total = cdf[..., -1:].contiguous()
    token = torch.searchsorted(cdf, u[..., None] * total, right=True)
    last = torch.searchsorted(cdf, total)  # the last value that has any weight: the first to reach the total
    return torch.minimum(token, last)[..., 0]


def from_logits(logits: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Draws by softmax(logits) in float64: logits (..., V), u (...) -> tokens (...) int64 and their probabilities (...)
    float64.
    """
    tokens, probabilities = [], []
    for some, most, weights, part in _tables(logits, u):
        cdf = weights.cumsum_(-1)
        tokens.append(_inverse(cdf, part))
        probabilities.append(_weight(some, most, tokens[-1]) / cdf[:, -1])
    return torch.cat(tokens).view(u.shape), torch.cat(probabilities).view(u.shape)


def probability_of(tokens: Tensor, logits: Tensor) -> Tensor:
    """softmax(logits) in float64 at one token each: tokens (...), logits (..., V) -> (...) float64."""
    return torch.cat([_weight(some, most, part) / weights.sum(-1) for some, most, weights,
                      part in _tables(logits, tokens)]).view(tokens.shape)


def _weight(some: Tensor, most: Tensor, tokens: Tensor) -> Tensor:
    """exp(logit - largest logit) in float64, logits (R, V), the largest (R, 1), tokens (R,) -> (R,)."""
    return (some.gather(-1, tokens[:, None]).double() - most).exp_()[:, 0]


def _tables(logits: Tensor, given: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Logits (R, V), the largest of each row (R, 1) and the weights exp(logit - largest) in float64, and what is given
    for them (R,), a few rows at a time on a CPU.

    All in one place, so that the float64 table of a large vocabulary stays in its cache: half the time at V = 50,257.
    """
    rows = logits.reshape(-1, logits.shape[-1])
    few = max(1, CACHED // rows.shape[1]) if rows.device.type == "cpu" else max(1, len(rows))
    room = torch.empty_like(rows[:few], dtype=torch.float64)
    for some, part in zip(rows.split(few), given.reshape(-1).split(few)):
        weights, most = room[: len(some)].copy_(some), some.amax(-1, keepdim=True).double()
        yield some, most, weights.sub_(most).exp_(), part


def residual(p: Tensor, q: Tensor, u: Tensor) -> Tensor:
    """Draw from max(0, q - p) normalised (arXiv 2211.17192, eq. 4); from q itself where q - p has no positive part.

    p, q (B, V) float64 probabilities; u (B,) -> (B,) int64.
    """
    excess = (q - p).clamp_min(0)                                                  # (B, V)
    degenerate = excess.sum(-1, keepdim=True) <= 0
    return categorical(torch.where(degenerate, q, excess), u)
