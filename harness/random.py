"""Randomness is a function, not a state: every draw is uniform(seed, row, stream, index).

A row's sample then depends on its seed alone - not on the batch it rides in, on rows that finished earlier, or on
which sampler ran before - and common random numbers across arms come for free. This is the only file that draws.

Generator: Philox4x32-10 (harness/fused/philox.py). Key = the 64-bit seed; counter = (index low, index high, row,
stream); words 0 and 1 of the block become one float64 in the open interval (0, 1) with 52 random bits.

Categorical draws invert the cumulative distribution in float64 and spend one uniform each: no exponential race, no
float32, hence none of the truncation described in arXiv 2409.02908.

    >>> uniform(7, torch.tensor([0, 1]), Stream.TOKEN, torch.arange(3)).shape
    torch.Size([2, 3])
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from harness.fused.operators import fused
from harness.fused.philox import philox4x32, philox_in_place, to_unit

_M32 = 0xFFFFFFFF
CACHED = 2**18            # float64 numbers that a core keeps near
LARGE, BLOCK = 2**12, 256    # a vocabulary above the first is searched in blocks of the second
# sums of weights that are far from the ends of float64, and of float32
SAFE, SAFE32 = (1e-200, 1e200), (1e-20, 1e30)
HIGH = 400    # a largest logit below this, and above its negative, leaves sums of weights within SAFE


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


def uniform(seed: int, row: Tensor, stream: Stream, index: Tensor) -> Tensor:
    """float64 uniforms in (0, 1), one for each (row, index).

    row (B,) int64 below 2**32; index int64, either (K,) shared by all rows or (B, K) per row -> (B, K).
    """
    index = index if index.dim() == 2 else index.expand(row.shape[0], -1)
    if row.device.type == "cpu":
        return _uniform(seed & _M32, seed >> 32 & _M32, row, torch.full_like(index, int(stream)), index)
    return _uniforms(row, row, index, seed & _M32, seed >> 32 & _M32, [int(stream)], [1], 0, 0, 1)[0]    # (B, K)


def uniforms(seed: int, row: Tensor, n: Tensor, at: Tensor, length: int, streams: Sequence[Stream],
             parts: Sequence[int] = (1,), first: int = 0, per_round: int = 1) -> Tensor:
    """What a round draws for several purposes, (P, B, K) with P = sum(parts): for each stream so many parts of a round,
    counted from `first`, each at index (n per_round + part) length + at. One call, which on a device costs as little as
    one for a single purpose.

    row, n (B,) int64, rows and the rounds that they are in; at (B, K) int64; at most three streams.
    """
    return _uniforms(row, n, at, seed & _M32, seed >> 32 & _M32, [*map(int, streams)], [*parts], first, per_round,
                     length)


@fused("uniforms(Tensor row, Tensor n, Tensor at, int low, int high, int[] streams, int[] parts, int first, "
       "int per_round, int length) -> Tensor")
def _uniforms(row: Tensor, n: Tensor, at: Tensor, low: int, high: int, streams: list[int], parts: list[int],
              first: int, per_round: int, length: int) -> Tensor:
    counted = [torch.arange(first, first + many, device=at.device) for many in parts]
    index = (n[:, None, None] * per_round + torch.cat(counted)[:, None]) * length + at[:, None]    # (B, P, K)
    stream = torch.cat([torch.full_like(part, which) for part, which in zip(counted, streams)])    # (P,)
    stream = stream[:, None].expand(index.shape[1:]).flatten().expand(len(row), -1)
    return _uniform(low, high, row, stream, index.flatten(1)).view_as(index).transpose(0, 1).contiguous()    # (P, B, K)


def _uniform(low: int, high: int, row: Tensor, stream: Tensor, index: Tensor) -> Tensor:
    """Words of the seed, row (B,), stream and index (B, K) -> (B, K)."""
    if index.device.type == "cpu" and not torch.compiler.is_compiling():
        return _uniform_here(low, high, row, stream, index)
    words = philox4x32((index & _M32, index >> 32 & _M32, (row & _M32)[:, None].expand_as(index), stream), (low, high))
    return to_unit(words[0], words[1])


def _uniform_here(low: int, high: int, row: Tensor, stream: Tensor, index: Tensor) -> Tensor:
    """The same on a CPU."""
    mask, half, six = np.uint64(_M32), np.uint64(32), np.uint64(6)
    at = index.numpy().view(np.uint64)                                             # (B, K)
    words = [at & mask, at >> half, np.empty(at.shape, np.uint64), np.empty(at.shape, np.uint64)]
    words[2][:] = (row.numpy().view(np.uint64) & mask)[:, None]
    words[3][:] = stream.numpy()
    philox_in_place(words, (low, high))
    bits = ((words[0] >> six << np.uint64(26)) + (words[1] >> six)).view(np.int64)
    return torch.from_numpy((bits + 0.5) * 2.0**-52)


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
    """cdf (..., V) cumulative weights, u (...) in (0, 1) -> (...) int64."""
    total = cdf[..., -1:].contiguous()
    token = torch.searchsorted(cdf, u[..., None] * total, right=True)
    last = torch.searchsorted(cdf, total)  # the last value that has any weight: the first to reach the total
    return torch.minimum(token, last)[..., 0]


def from_logits(logits: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Draws by softmax(logits) in float64: logits (..., V), u (...) -> tokens (...) int64 and their probabilities (...)
    float64.
    """
    tokens, p = _from_logits(logits.reshape(-1, logits.shape[-1]), u.reshape(-1))  # (R,) each
    return tokens.view(u.shape), p.view(u.shape)


@fused("drawn(Tensor logits, Tensor u) -> (Tensor, Tensor)")
def _from_logits(rows: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    return (_drawn_in_blocks if rows.shape[1] > LARGE else _drawn)(rows, u)


def probability_of(tokens: Tensor, logits: Tensor, beside: Tensor | None = None) -> Tensor:
    """softmax(logits) in float64 at one token each: tokens (...), logits (..., V) -> (...) float64.

    beside (...) float64: what the probabilities will be compared with, and nothing else. Of a large vocabulary those
    that float32 can tell from it are left in float32; every comparison comes out as in float64.
    """
    rows, which = logits.reshape(-1, logits.shape[-1]), tokens.reshape(-1, 1)      # (R, V), (R, 1)
    if beside is None or rows.shape[1] <= LARGE or rows.device.type != "cpu":    # a device has float64 at hand
        return _probability(rows, which).view(tokens.shape)
    total, border = _sums_in_float32(rows), beside.reshape(-1)                     # (R,) each
    p = _weights(rows, which, torch.zeros_like(total)[:, None])[:, 0] / total      # (R,)
    sure = (p - border).abs() > rows.shape[1] * 2.0**-28 * border                  # twice what the sum may be off
    unsure = ~(sure & (total > SAFE32[0]) & (total < SAFE32[1]))
    near = unsure.nonzero()[:, 0]                                                  # (N,)
    p = p.index_put((near,), _probability(rows[near], which[near])) if len(near) else p
    return p.view(tokens.shape)


@fused("likelihood(Tensor logits, Tensor tokens) -> Tensor")
def _probability(rows: Tensor, tokens: Tensor) -> Tensor:
    """In float64: rows (R, V), tokens (R, 1) -> (R,)."""
    shift, sums = _sums(rows)
    return _weights(rows, tokens, shift)[:, 0] / sums.sum(-1)


def _sums_in_float32(rows: Tensor) -> Tensor:
    """Sums of exp(logit), rows (R, V) -> (R,) float64, off by no more than V * 2**-29 of themselves: 2**-23 for each
    term and for each of V / 64 additions, many more than those of a cascade or a tree.
    """
    return torch.cat([some.float().exp().sum(-1) for some in rows.split(_few(rows))]).double()


def _drawn(rows: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """By running sums over the whole vocabulary: rows (R, V), u (R,) -> tokens (R,), probabilities (R,)."""
    tokens, probabilities = [], []
    for some, part in zip(rows.split(_few(rows)), u.split(_few(rows))):
        shift = some.amax(-1, keepdim=True).double()
        cdf = (some.double() - shift).exp_().cumsum_(-1)                           # (few, V)
        tokens.append(_inverse(cdf, part))
        probabilities.append(_weights(some, tokens[-1][:, None], shift)[:, 0] / cdf[:, -1])
    return torch.cat(tokens), torch.cat(probabilities)


def _drawn_in_blocks(rows: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """The same for a large vocabulary, the block first and then the token within it: sums of blocks are quicker to take
    than running sums. The token is another only where u lies within a rounding of the border of two.
    """
    shift, sums = _sums(rows)
    cdf = sums.cumsum(-1)                                                          # (R, K)
    total, block = cdf[:, -1:], _inverse(cdf, u)[:, None]                          # (R, 1)
    before = torch.where(block > 0, cdf.gather(1, (block - 1).clamp_min(0)), 0.0)  # (R, 1)
    at = block * BLOCK + torch.arange(BLOCK, device=rows.device)                   # (R, BLOCK)
    weights = torch.where(at < rows.shape[1], _weights(rows, at.clamp_max(rows.shape[1] - 1), shift), 0.0)
    inside = weights.cumsum(-1)
    place = torch.searchsorted(inside, u[:, None] * total - before, right=True)    # (R, 1)
    place = torch.minimum(place, torch.searchsorted(inside, inside[:, -1:].contiguous()))
    return (block * BLOCK + place)[:, 0], weights.gather(1, place)[:, 0] / total[:, 0]


def _weights(rows: Tensor, tokens: Tensor, shift: Tensor) -> Tensor:
    """exp(logit - shift) in float64: rows (R, V), tokens (R, W), shift (R, 1) -> (R, W)."""
    return rows.gather(-1, tokens).double().sub_(shift).exp_()


def _sums(rows: Tensor) -> tuple[Tensor, Tensor]:
    """What is subtracted from the logits of each row (R, 1), and the sums of its weights (R, K) in blocks of BLOCK
    tokens; a small vocabulary is one block.

    The largest logit of a large vocabulary is looked for only where weights without it would leave the range of
    float64.
    """
    if rows.shape[1] <= LARGE:
        shift = rows.amax(-1, keepdim=True).double()
        return shift, _block_sums(rows, shift, rows.shape[1])
    if rows.device.type != "cpu":    # asking whether any row is unsafe would make the host wait
        highest = rows.amax(-1, keepdim=True).double()
        shift = torch.where(highest.abs() < HIGH, 0.0, highest)                    # (R, 1)
        return shift, _block_sums(rows, shift, BLOCK)
    shift = torch.zeros(len(rows), 1, dtype=torch.float64, device=rows.device)
    sums = _block_sums(rows, None, BLOCK)
    total = sums.sum(-1)
    unsafe = ~((total > SAFE[0]) & (total < SAFE[1]))                              # (R,)
    if bool(unsafe.any()):
        shift[unsafe] = rows[unsafe].amax(-1, keepdim=True).double()
        sums[unsafe] = _block_sums(rows[unsafe], shift[unsafe], BLOCK)
    return shift, sums


def _block_sums(rows: Tensor, shift: Tensor | None, block: int) -> Tensor:
    """Sums of exp(logit - shift) in float64, rows (R, V) -> (R, ceil(V / block)), a few rows at a time on a CPU: their
    table stays in its cache.
    """
    vocab, few = rows.shape[1], _few(rows)
    room = torch.zeros(min(few, len(rows)), -(-vocab // block) * block, dtype=torch.float64, device=rows.device)
    sums = []
    for k, some in enumerate(rows.split(few)):
        weights = room[: len(some), :vocab].copy_(some)
        if shift is not None:
            weights.sub_(shift[k * few : k * few + len(some)])
        weights.exp_()
        sums.append(room[: len(some)].view(len(some), -1, block).sum(-1))
    return torch.cat(sums)


def _few(rows: Tensor) -> int:
    """How many rows are worked on at a time."""
    return max(1, CACHED // rows.shape[1]) if rows.device.type == "cpu" else max(1, len(rows))


def residual(p: Tensor, q: Tensor, u: Tensor) -> Tensor:
    """Draw from max(0, q - p) normalised (arXiv 2211.17192, eq. 4); from q itself where q - p has no positive part.

    p, q (B, V) float64 probabilities; u (B,) -> (B,) int64.
    """
    excess = (q - p).clamp_min(0)                                                  # (B, V)
    degenerate = excess.sum(-1, keepdim=True) <= 0
    return categorical(torch.where(degenerate, q, excess), u)
