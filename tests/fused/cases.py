"""What every operator is called with: shapes from one row to many, padding, strides, forbidden tokens."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from harness.random import Stream, uniform
from harness.sampling.reveal import next_places

LENGTH = 40


class Settling(NamedTuple):
    """Arguments of the operator `settled`."""

    logits: Tensor
    judged: Tensor
    p: Tensor
    q: Tensor
    u: Tensor
    v: Tensor
    at: Tensor
    y: Tensor
    i: Tensor
    j: Tensor
    e: Tensor


def made(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def keyed() -> Iterator[tuple]:
    """Of `uniforms`: both words of rows, indices and seeds matter."""
    g = made(0)
    for rows, columns in ((1, 1), (5, 4), (33, 17), (3, 0)):
        row, n = torch.randint(2**32, (rows,), generator=g), torch.randint(2**20, (rows,), generator=g)
        at = torch.randint(-1, 2**34, (rows, columns), generator=g)
        yield row, n, at, 0x9ABCDEF1, 0xFFFFFFFF, [4, 5, 6], [1, 3, 3], 2, 64, 24
        yield row, n, at[:1].expand(rows, -1), 1, 0, [3], [1], 0, 0, 1
        yield row, n, at.T.contiguous().T, 0, 2**31, [5, 6], [2, 2], 4, 64, 1024


def laws(vocab: int, rows: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Logits (rows, vocab), some tokens forbidden, and uniforms (rows,), the ends of the interval among them."""
    logits = 4 * torch.randn(rows, vocab, generator=made(vocab))
    logits[::3, (vocab + 1) // 2 :] = -torch.inf
    logits[1::3, : vocab // 2] = -torch.inf
    logits[2::9, 1:] = -torch.inf
    logits[3::4] += 800
    u = uniform(1, torch.arange(rows), Stream.TOKEN, torch.tensor([vocab]))[:, 0]
    u[rows // 2 :: 6], u[rows // 3 :: 7] = 1 - 2**-53, 2**-53
    return logits.to(dtype), u


def settling(rows: int, width: int, vocab: int) -> Settling:
    """Rows of which some have nothing to test, and some a target that is the draft, with a draft rejected."""
    g = made(rows + width + vocab)
    order, i = torch.rand(rows, LENGTH, generator=g).argsort(1), torch.randint(LENGTH - width, (rows,), generator=g)
    e = i + torch.randint(1, width + 1, (rows,), generator=g)
    j = torch.minimum(i + torch.randint(width, (rows,), generator=g), e)
    _, at = next_places(order, i, e, width)
    logits = 2 * torch.randn(rows, width, vocab, generator=g)
    judged = torch.cat((logits + torch.randn(logits.shape, generator=g), logits), 1)[:, :width]    # not contiguous
    judged[::3] = logits[::3]
    drafts = torch.randint(vocab, (rows, width), generator=g)
    p, q = (torch.softmax(t.double(), -1).gather(2, drafts[..., None])[..., 0] for t in (logits, judged))
    u, v = torch.rand(2, rows, width, generator=g, dtype=torch.float64)
    u[::3] = 1
    y = torch.randint(vocab, (rows, LENGTH + 1), generator=g)[:, :LENGTH]
    return Settling(logits, judged, p, q, u, v, at, y, i, j, e)
