"""Kernels against the paths of torch that they stand for: bits of uniforms, tokens of draws, laws.

On a CPU they run by Triton's interpreter, in a process of their own: TRITON_INTERPRET=1 pytest tests/fused, which
test_interpreted.py does. On a machine with CUDA they run there.
"""

import os
from importlib.util import find_spec

import pytest
import torch

from harness.fused.operators import OPERATORS
from harness.fused.philox import philox4x32
from harness.random import Stream, uniform
from harness.sampling.settle import settle
from tests.fused.cases import LENGTH, keyed, laws, settling

BY_HAND = os.environ.get("TRITON_INTERPRET") == "1"
ON = "cpu" if BY_HAND else "cuda"
pytestmark = [pytest.mark.skipif(not find_spec("triton"), reason="Triton is absent: pip install triton"),
              pytest.mark.skipif(not (BY_HAND or torch.cuda.is_available()), reason="neither CUDA nor Triton's "
                                 "interpreter here; test_interpreted.py starts that one")]
NEAR = 1e-12    # of a uniform to the border of two tokens


def ran(name: str, *args):
    """What a kernel gives, on the CPU."""
    from harness.fused import kernels

    found = getattr(kernels, name)(*(a.to(ON) if isinstance(a, torch.Tensor) else a for a in args))
    return tuple(t.cpu() for t in found) if isinstance(found, tuple) else found.cpu()


def test_uniforms_are_those_of_torch_to_the_bit():
    for args in keyed():
        assert torch.equal(ran("uniforms", *args), OPERATORS["uniforms"](*args))


def test_uniforms_are_the_published_philox():
    row, index, key = torch.tensor([0x13198A2E]), 0x243F6A88 | 0x85A308D3 << 32, (0xA4093822, 0x299F31D0)
    index -= 2**64 if index >= 2**63 else 0
    found = ran("uniforms", row, row, torch.tensor([[index]]), *key, [0x03707344], [1], 0, 0, 1)
    words = philox4x32(tuple(torch.tensor([w]) for w in (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)), key)
    assert int(words[0]) == 0xD16CFE09
    assert found.item() == ((int(words[0]) >> 6) * 2**26 + (int(words[1]) >> 6) + 0.5) * 2.0**-52


def borders(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """The cumulative probability behind each token (R,), in float64."""
    p = torch.softmax(logits.double(), -1)
    return p.cumsum(-1).gather(1, tokens[:, None])[:, 0] / p.sum(-1)


SHAPES = [(2, 12), (3, 12), (16, 12), (17, 12), (27, 40), (500, 9), (1024, 9), (1025, 9), (4096, 6), (4097, 6),
          (50_257, 3)]


@pytest.mark.parametrize("vocab, rows", [*SHAPES, (27, 1), (5000, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_are_those_of_torch_but_for_uniforms_at_a_border(vocab, rows, dtype):
    logits, u = laws(vocab, rows, dtype)
    tokens, chances = ran("drawn", logits, u)
    expected, p = OPERATORS["drawn"](logits, u)
    other = (tokens != expected).nonzero()[:, 0]
    off = (borders(logits[other], torch.minimum(tokens, expected)[other]) - u[other]).abs()
    assert bool((off < NEAR).all())
    assert bool((logits.gather(1, tokens[:, None]) > -torch.inf).all())    # a forbidden token is never drawn
    same = tokens == expected
    assert torch.allclose(chances[same], p[same], rtol=1e-12, atol=0)
    again = logits, tokens[:, None]
    assert torch.allclose(ran("likelihood", *again), OPERATORS["likelihood"](*again), rtol=1e-12, atol=0)


@pytest.mark.parametrize("vocab", [5, 300, 1500])
def test_a_uniform_beside_a_border_falls_on_its_side(vocab):
    """At the border itself either token may come; at NEAR from it the one that torch draws."""
    logits = torch.randn(1, vocab, generator=torch.Generator().manual_seed(vocab)).expand(10, -1)
    at = torch.linspace(0, vocab - 2, 5).long()
    border = borders(logits[:5], at)
    u = torch.cat((border - NEAR, border + NEAR))
    assert torch.equal(ran("drawn", logits, u)[0], torch.cat((at, at + 1)))
    tokens = ran("drawn", logits[:5], border)[0]
    assert bool(((tokens == at) | (tokens == at + 1)).all())


@pytest.mark.parametrize("vocab", [7, 2000])
def test_drawn_tokens_follow_their_law(vocab):
    """Chi-square of 200 draws, of seven tokens or seven groups of them, at 0.1 %."""
    rows = 200
    logits = torch.randn(1, vocab, generator=torch.Generator().manual_seed(3)).expand(rows, -1)
    u = uniform(11, torch.arange(rows), Stream.TOKEN, torch.tensor([0]))[:, 0]
    group = torch.arange(vocab) * 7 // vocab
    tokens = ran("drawn", logits, u)[0]
    expected = rows * torch.zeros(7, dtype=torch.float64).index_add_(0, group, torch.softmax(logits[0].double(), -1))
    counts = torch.bincount(group[tokens], minlength=7)
    assert float(((counts - expected) ** 2 / expected).sum()) < 22.5               # 6 degrees of freedom


@pytest.mark.parametrize("rows, width, vocab", [(1, 1, 2), (9, 9, 27), (12, 5, 1300), (3, 20, 5000), (7, 1, 3)])
def test_rows_are_settled_as_torch_settles_them(rows, width, vocab):
    of = settling(rows, width, vocab)
    assert all(map(torch.equal, ran("settled", *of), settle(*of)))


def test_replaced_tokens_follow_the_excess_of_target_over_draft():
    """max(0, q - p) gives one token nothing and the two others 1/3 and 2/3."""
    rows = 200
    one = settling(rows, 1, 3)
    logits, judged = (torch.tensor(p).log().expand(rows, 1, 3) for p in ([0.5, 0.3, 0.2], [0.2, 0.4, 0.4]))
    i, at = torch.zeros(rows, dtype=torch.int64), torch.zeros(rows, 1, dtype=torch.int64)
    v = uniform(11, torch.arange(rows), Stream.RESIDUAL, torch.tensor([0]))
    y, j, f = ran("settled", logits, judged, torch.ones_like(one.p), torch.zeros_like(one.q), one.u, v, at, one.y, i, i,
                  i + 1)
    share = torch.bincount(y[:, 0], minlength=3) / rows
    assert bool((f == 0).all() and (j == 1).all()) and share[0] == 0
    assert abs(share[1] - 1 / 3) < 3.3 * (2 / 9 / rows) ** 0.5                     # 0.1 %


@pytest.mark.parametrize("rows, width", [(1, 1), (6, 9), (30, 3), (4, 0)])
def test_places_and_what_is_written_there_are_those_of_torch(rows, width):
    of = settling(rows, max(width, 1), 9)
    order = torch.rand(rows, LENGTH, generator=torch.Generator().manual_seed(0)).argsort(1)
    args = order, of.i, torch.minimum(of.e, of.i + width), width
    ranks, at = ran("ranked", *args)
    assert torch.equal(ranks, OPERATORS["ranked"](*args)[0]) and torch.equal(at, OPERATORS["ranked"](*args)[1])
    tokens = at * 7 + 1
    for x in (of.y, of.y.contiguous(), of.y.T.contiguous().T):
        assert torch.equal(ran("filled", x, at, tokens), OPERATORS["filled"](x, at, tokens))
