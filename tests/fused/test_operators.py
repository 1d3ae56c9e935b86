"""What an operator computes is what was computed before there was one, and how a device runs it."""

import pytest
import torch

from harness import fused
from harness.fused import operators
from harness.random import Stream, residual, uniform, uniforms
from harness.sampling.accept import accept
from harness.sampling.reveal import fill, next_places, places, probabilities, ranks_between
from harness.sampling.settle import settle
from harness.schedules.window import Cosine, Fixed, Linear, Open, Stairs, widths
from tests.fused.cases import LENGTH, Settling, keyed, laws, settling
from tests.pretend.away import DEVICE
from tests.pretend.device import pretended

M32 = 0xFFFFFFFF


def test_what_a_round_draws_in_one_call_is_what_it_draws_in_several():
    for row, n, at, low, high, streams, parts, first, per_round, length in keyed():
        seed, at = low | high << 32, at.contiguous()
        found = uniforms(seed, row, n, at, length, [Stream(s) for s in streams], parts, first, per_round)
        several = [uniform(seed, row, Stream(s), (n[:, None] * per_round + first + k) * length + at)
                   for s, many in zip(streams, parts) for k in range(many)]
        assert torch.equal(found, torch.stack(several))


def settled_before(of: Settling) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The path of a CPU, which asks how many drafts were rejected (ssmd/sampler.py)."""
    logits, judged, p, q, u, v, at, y, i, j, e = of
    alive, f = j < e, accept(p, q, u, j - i, e - i)
    rejected = (alive & (f < e - i)).nonzero()[:, 0]
    column = f[rejected]
    p_f, q_f = (probabilities(t[rejected, column]) for t in (logits, judged))
    y = y.index_put((rejected, at[rejected, column]), residual(p_f, q_f, v[rejected, column]))
    return y, torch.where(alive, torch.minimum(i + f + 1, e), j), f


@pytest.mark.parametrize("rows, width, vocab", [(1, 1, 2), (6, 9, 27), (64, 5, 300), (400, 1, 3)])
def test_all_rows_settled_at_once_are_those_settled_one_by_one(rows, width, vocab):
    of = settling(rows, width, vocab)
    assert all(map(torch.equal, settle(*of), settled_before(of)))


def test_the_next_places_are_those_of_the_next_ranks():
    order = torch.rand(7, LENGTH).argsort(1)
    start, stop = torch.arange(7), torch.tensor([0, 5, 3, 9, 4, 6, 20])
    for width in (None, 17):
        ranks = ranks_between(start, stop, width)
        assert all(map(torch.equal, next_places(order, start, stop, width), (ranks, places(order, ranks))))


@pytest.mark.parametrize("window", [Cosine(0.15), Cosine(0.001), Linear(0.02), Linear(0.3), Fixed(8), Open(),
                                    Stairs((0.1, 0.25, 1.0))], ids=str)
def test_widths_that_a_device_looks_up_are_those_of_the_window(window):
    for length in (1, 2, 3, 24, 100, 255, 256, 1024):
        i = torch.arange(length + 1)
        alone = torch.cat([window.width(one, length) for one in i[:-1].split(1)])
        with pretended():
            found = widths(window, i.to(DEVICE), length).inner
        assert torch.equal(found[:-1], alone) and found[-1] == 0
        assert torch.equal(widths(window, i[:-1], length), alone)


def every_call() -> dict[str, tuple]:
    of = settling(5, 4, 9)
    logits, u = laws(27, 8)
    return {"uniforms": next(keyed()), "drawn": (logits, u), "likelihood": (logits, logits.argmax(1, keepdim=True)),
            "settled": tuple(of), "ranked": (torch.arange(LENGTH).expand(5, -1), of.i, of.e, 4),
            "filled": (of.y, of.at, of.at)}


@pytest.mark.parametrize("name", operators.OPERATORS)
def test_an_operator_is_one_kernel_of_a_device_and_its_path_elsewhere(name):
    args = every_call()[name]
    operator, path = getattr(torch.ops.ssmd_bench, name), operators.OPERATORS[name]
    expected = path(*args)
    with pretended() as tally:
        away = [a.to(DEVICE) if isinstance(a, torch.Tensor) else a for a in args]
        before = sum(tally.kernels.values())
        found = operator(*away)
        assert sum(tally.kernels.values()) - before == 1
    for here, there in zip(*(x if isinstance(x, tuple) else (x,) for x in (expected, found))):
        assert torch.equal(here, there.inner)
    there = operator(*args)
    assert all(map(torch.equal, *(x if isinstance(x, tuple) else (x,) for x in (expected, there))))


def test_no_row_of_a_full_text_is_written_to():
    x = torch.arange(6).view(2, 3)
    assert torch.equal(fill(x, torch.full((2, 2), -1), torch.zeros(2, 2, dtype=torch.int64)), x)


def test_without_triton_the_path_of_torch_runs(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "triton", None)
    monkeypatch.delitem(__import__("sys").modules, "harness.fused.kernels", raising=False)
    monkeypatch.delattr(fused, "kernels", raising=False)    # another test may have loaded it, where Triton is
    monkeypatch.setattr(operators.shutil, "which", lambda name: name)
    assert operators.kernels.__wrapped__() is None
    monkeypatch.setattr(operators.shutil, "which", lambda name: None)
    monkeypatch.delenv("CC", raising=False)
    assert operators.kernels.__wrapped__() is None
