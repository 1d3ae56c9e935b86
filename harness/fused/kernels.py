"""The Triton kernels: of each operator one (harness/fused/operators.py), which a CUDA device starts once a call.

Every function here takes what its operator takes, makes the tensors of the answer and starts one kernel. What is drawn
is drawn in float64, and Philox is whole-number arithmetic, so uniforms are those of harness/random.py to the bit. A
draw sums its weights in another order than torch does: its token is another only where the uniform lies within a
rounding of the border of two. A value without weight is never drawn.

This module needs Triton, and is imported by nobody before a CUDA tensor comes. With TRITON_INTERPRET=1 in the
environment the kernels run on a CPU, slowly, as tests/fused does.
"""

from contextlib import nullcontext

import torch
import triton
import triton.language as tl
from torch import Tensor

WIDEST = 1024    # numbers that a program holds at a time


@triton.jit
def _philox(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10, words 0 and 1 of the block; all are uint64 that hold 32 bits."""
    M: tl.constexpr = 0xFFFFFFFF
    for _ in tl.static_range(10):
        p0 = c0 * 0xD2511F53
        p1 = c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & M, (p0 >> 32) ^ c3 ^ k1, p0 & M
        k0 = (k0 + 0x9E3779B9) & M
        k1 = (k1 + 0xBB67AE85) & M
    return c0, c1


@triton.jit(do_not_specialize=["low", "high", "s0", "s1", "s2", "n0", "n1", "first", "per_round", "length", "rows",
                               "width", "total"])
def _uniforms(row, n, at, out, at_row, at_column, low, high, s0, s1, s2, n0, n1, first, per_round, length, rows, width,
              total, BLOCK: tl.constexpr):
    k = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = k < total
    part, b, column = k // (rows * width), k // width % rows, k % width
    stream = tl.where(part < n0, s0, tl.where(part < n0 + n1, s1, s2)).to(tl.uint64)
    part = part - tl.where(part < n0, 0, tl.where(part < n0 + n1, n0, n0 + n1))
    place = tl.load(at + b.to(tl.int64) * at_row + column * at_column, mask=inside, other=0)
    index = ((tl.load(n + b, mask=inside, other=0) * per_round + first + part) * length + place).to(tl.uint64)
    key = tl.load(row + b, mask=inside, other=0).to(tl.uint64) & 0xFFFFFFFF
    k0, k1 = low.to(tl.uint64), high.to(tl.uint64)
    w0, w1 = _philox(index & 0xFFFFFFFF, index >> 32, key, stream, k0, k1)
    bits = ((w0 >> 6) * 67108864 + (w1 >> 6)).to(tl.int64)    # 52 of them
    tl.store(out + k, (bits.to(tl.float64) + 0.5) * 2.220446049250313e-16, mask=inside)


@triton.jit
def _read(logits, column, V):
    return tl.load(logits + column, mask=column < V, other=float("-inf")).to(tl.float64)


@triton.jit
def _summed(logits, V, BLOCK: tl.constexpr):
    """The largest of V logits, and the sum of exp(logit - largest)."""
    lane = tl.arange(0, BLOCK)
    most = tl.full((BLOCK,), float("-inf"), tl.float64)
    for start in range(0, V, BLOCK):
        most = tl.maximum(most, _read(logits, start + lane, V))
    top = tl.max(most, 0)
    sums = tl.zeros((BLOCK,), tl.float64)
    for start in range(0, V, BLOCK):
        sums += tl.exp(_read(logits, start + lane, V) - top)
    return top, tl.sum(sums, 0)


@triton.jit
def _excess(p, q, column, V, p_top, p_sum, q_top, q_sum):
    """max(0, q - p) of two softmaxes, and q."""
    of_q = tl.exp(_read(q, column, V) - q_top) / q_sum
    return tl.maximum(of_q - tl.exp(_read(p, column, V) - p_top) / p_sum, 0.0), of_q


@triton.jit
def _step(w, aim, start, V, carry, token, last, BLOCK: tl.constexpr):
    """A block of an inverse cumulative sum: the first value whose sum goes beyond `aim`, V if none yet, and the last
    that has any weight.
    """
    column = start + tl.arange(0, BLOCK)
    hit = (carry + tl.cumsum(w, 0) > aim) & (w > 0)
    token = tl.minimum(token, tl.min(tl.where(hit, column, V), 0))
    last = tl.maximum(last, tl.max(tl.where(w > 0, column, 0), 0))
    return carry + tl.sum(w, 0), token, last


@triton.jit
def _drawn(logits, u, tokens, chances, stride, V, BLOCK: tl.constexpr):
    r = tl.program_id(0)
    logits += r.to(tl.int64) * stride
    top, total = _summed(logits, V, BLOCK)
    aim = tl.load(u + r) * total
    carry = total * 0
    token, last = V + 0 * r, 0 * r
    for start in range(0, V, BLOCK):
        w = tl.exp(_read(logits, start + tl.arange(0, BLOCK), V) - top)
        carry, token, last = _step(w, aim, start, V, carry, token, last, BLOCK)
    token = tl.where(token < V, token, last)
    tl.store(tokens + r, token.to(tl.int64))
    tl.store(chances + r, tl.exp(tl.load(logits + token).to(tl.float64) - top) / total)


@triton.jit
def _likelihood(logits, tokens, chances, stride, V, BLOCK: tl.constexpr):
    r = tl.program_id(0)
    logits += r.to(tl.int64) * stride
    top, total = _summed(logits, V, BLOCK)
    tl.store(chances + r, tl.exp(tl.load(logits + tl.load(tokens + r)).to(tl.float64) - top) / total)


@triton.jit
def _settled(logits, judged, p, q, u, v, at, y, i, j, e, new_y, new_j, first, L, W, V, logits_row, logits_column,
             judged_row, judged_column, u_row, v_row, y_row, BLOCK: tl.constexpr):
    b = tl.program_id(0)
    lane, wide = tl.arange(0, BLOCK), b.to(tl.int64)
    begin, tried, end = tl.load(i + b), tl.load(j + b), tl.load(e + b)
    f = end - begin
    for start in range(0, W, BLOCK):
        column = start + lane
        there = (column >= tried - begin) & (column < end - begin) & (column < W)
        known = wide * W + column
        bad = tl.load(u + wide * u_row + column, mask=there, other=0.0) * tl.load(p + known, mask=there, other=0.0)
        bad = there & (bad >= tl.load(q + known, mask=there, other=1.0))
        f = tl.minimum(f, tl.min(tl.where(bad, column, end - begin), 0))
    rejected = (tried < end) & (f < end - begin)
    worst = tl.minimum(f, W - 1)
    token, place = f * 0, f * 0 - 1
    if rejected:
        of_p, of_q = logits + wide * logits_row + worst * logits_column, judged + wide * judged_row
        of_q += worst * judged_column
        p_top, p_sum = _summed(of_p, V, BLOCK)
        q_top, q_sum = _summed(of_q, V, BLOCK)
        sums = tl.zeros((BLOCK,), tl.float64)
        for start in range(0, V, BLOCK):
            excess, _ = _excess(of_p, of_q, start + lane, V, p_top, p_sum, q_top, q_sum)
            sums += excess
        total = tl.sum(sums, 0)
        degenerate = total <= 0
        aim, carry = tl.load(v + wide * v_row + worst) * tl.where(degenerate, 1.0, total), total * 0
        found, last = V + 0 * b, 0 * b
        for start in range(0, V, BLOCK):
            excess, whole = _excess(of_p, of_q, start + lane, V, p_top, p_sum, q_top, q_sum)
            carry, found, last = _step(tl.where(degenerate, whole, excess), aim, start, V, carry, found, last, BLOCK)
        token = tl.where(found < V, found, last).to(tl.int64)
        place = tl.load(at + wide * W + worst)
    for start in range(0, L, BLOCK):
        written = start + lane
        held = tl.load(y + wide * y_row + written, mask=written < L, other=0)
        tl.store(new_y + wide * L + written, tl.where(written == place, token, held), mask=written < L)
    tl.store(new_j + b, tl.where(tried < end, tl.minimum(begin + f + 1, end), tried))
    tl.store(first + b, f)


@triton.jit
def _ranked(order, start, stop, ranks, at, order_row, W, BLOCK: tl.constexpr):
    b = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    rank = tl.load(start + b) + column
    there = (rank < tl.load(stop + b)) & (column < W)
    place = tl.load(order + b * order_row + rank, mask=there, other=0)
    tl.store(ranks + b * W + column, tl.where(there, rank, -1), mask=column < W)
    tl.store(at + b * W + column, tl.where(there, place, -1), mask=column < W)


@triton.jit
def _filled(x, at, tokens, out, x_row, at_row, tokens_row, L, W, BLOCK: tl.constexpr):
    b, lane = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    for start in range(0, L, BLOCK):
        column = start + lane
        tl.store(out + b * L + column, tl.load(x + b * x_row + column, mask=column < L, other=0), mask=column < L)
    tl.debug_barrier()    # what was copied stands before what is written over it
    for start in range(0, W, BLOCK):
        column = start + lane
        place = tl.load(at + b * at_row + column, mask=column < W, other=-1)
        token = tl.load(tokens + b * tokens_row + column, mask=column < W, other=0)
        tl.store(out + b * L + place, token, mask=place >= 0)


def _block(*sizes: int) -> int:
    return min(WIDEST, triton.next_power_of_2(max(16, *sizes)))


def _start(kernel, grid: tuple[int, ...], *args) -> None:
    """One kernel, on the device of its first tensor; none for an empty grid."""
    if min(grid):
        with torch.cuda.device(args[0].device) if args[0].is_cuda else nullcontext():
            kernel[grid](*args)


def _plain(t: Tensor) -> Tensor:
    """Rows whose numbers lie side by side."""
    return t if t.stride(-1) == 1 or t.shape[-1] == 1 else t.contiguous()


def uniforms(row: Tensor, n: Tensor, at: Tensor, low: int, high: int, streams: list[int], parts: list[int], first: int,
             per_round: int, length: int) -> Tensor:
    out = at.new_empty(sum(parts), len(row), at.shape[1], dtype=torch.float64)
    s, p = [*streams, 0, 0][:3], [*parts, 0, 0]
    _start(_uniforms, (triton.cdiv(out.numel(), 256),), row.contiguous(), n.contiguous(), at, out, at.stride(0),
           at.stride(1), low, high, *s, p[0], p[1], first, per_round, length, len(row), at.shape[1], out.numel(), 256)
    return out


def drawn(logits: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    logits, u = _plain(logits), u.contiguous()
    tokens, chances = torch.empty_like(u, dtype=torch.int64), torch.empty_like(u)
    _start(_drawn, (len(u),), logits, u, tokens, chances, logits.stride(0), logits.shape[1], _block(logits.shape[1]))
    return tokens, chances


def likelihood(logits: Tensor, tokens: Tensor) -> Tensor:
    logits, tokens = _plain(logits), tokens.contiguous()
    chances = tokens.new_empty(len(tokens), dtype=torch.float64)
    _start(_likelihood, (len(tokens),), logits, tokens, chances, logits.stride(0), logits.shape[1],
           _block(logits.shape[1]))
    return chances


def settled(logits: Tensor, judged: Tensor, p: Tensor, q: Tensor, u: Tensor, v: Tensor, at: Tensor, y: Tensor,
            i: Tensor, j: Tensor, e: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    logits, judged, u, v, y = map(_plain, (logits, judged, u, v, y))
    (B, L), W, V = y.shape, p.shape[1], logits.shape[2]
    new_y, new_j, first = y.new_empty(B, L), torch.empty_like(j), torch.empty_like(j)
    _start(_settled, (B,), logits, judged, p.contiguous(), q.contiguous(), u, v, at.contiguous(), y, i, j, e, new_y,
           new_j, first, L, W, V, *logits.stride()[:2], *judged.stride()[:2], u.stride(0), v.stride(0), y.stride(0),
           _block(L, V))
    return new_y, new_j, first


def ranked(order: Tensor, start: Tensor, stop: Tensor, width: int) -> tuple[Tensor, Tensor]:
    order, B = _plain(order), len(order)
    ranks, at = start.new_empty(B, width), start.new_empty(B, width)
    block = _block(width)
    _start(_ranked, (B, triton.cdiv(width, block)), order, start.contiguous(), stop.contiguous(), ranks, at,
           order.stride(0), width, block)
    return ranks, at


def filled(x: Tensor, at: Tensor, tokens: Tensor) -> Tensor:
    x, at, tokens = map(_plain, (x, at, tokens))
    out = x.new_empty(x.shape)
    _start(_filled, (len(x),), x, at, tokens, out, x.stride(0), at.stride(0), tokens.stride(0), x.shape[1], at.shape[1],
           _block(*x.shape[1:]))
    return out
