"""Numerical guards as properties: equal laws, vanishing residuals, certainties, tiny and awkward sizes, everything
given, bf16 logits.
"""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.random import categorical, residual
from harness.sampling.accept import accept
from harness.sampling.loop import sample
from harness.schedules.noise import Cosine as CosineSchedule
from harness.schedules.noise import Polynomial
from harness.schedules.window import Cosine, Fixed, Linear, Open
from ssmd.likelihood import recursion
from ssmd.sampler import SelfSpeculative

SAMPLERS = st.sampled_from([Ancestral(1), Ancestral(5), Ancestral(7, CosineSchedule()), Ancestral(5, Polynomial(0.5)),
                            FirstHitting(), FirstHitting(3), AnyOrder(),
                            *(FixedCount(w) for w in (Cosine(0.1), Fixed(1), Open())),
                            *(SelfSpeculative(w, r) for w in (Cosine(0.1), Linear(0.3), Fixed(1), Open())
                              for r in (1, 3))])


class Given:
    """Draft and target logits handed over; `noise` separates them; `sure` makes one token certain."""

    def __init__(self, vocab: int, noise: float, sure: bool = False, dtype: torch.dtype = torch.float32):
        self.vocab, self.mask, self.noise, self.sure, self.dtype = vocab, vocab, noise, sure, dtype

    def _logits(self, at, shift):
        base = torch.sin(at[..., None] * 3.7 + torch.arange(self.vocab) * 1.3 + shift)
        if self.sure:
            base = torch.where(torch.arange(self.vocab) == at[..., None] % self.vocab, 0.0, float("-inf"))
        return base.to(self.dtype)

    def draft(self, x, at=None, alive=None, clock=None):
        return self._logits(at, 0.0), x

    def verify(self, hidden, y, order, at, alive=None):
        return self._logits(order.gather(1, at.clamp_min(0)), self.noise)


@settings(deadline=None, max_examples=150)
@given(SAMPLERS, st.integers(2, 5), st.sampled_from([1, 2, 3, 7, 13]), st.sampled_from([0.0, 1e-8, 0.5, 9.0]),
       st.booleans(),
       st.sampled_from([torch.float32, torch.bfloat16]), st.sampled_from(["none", "all", "first", "some"]),
       st.integers(1, 5))
def test_every_sampler_finishes_every_row_and_keeps_what_was_given(sampler, vocab, length, noise, sure, dtype, prompt,
                                                                   batch):
    x = torch.full((4, length), vocab)
    if prompt == "all":
        x[:] = 1
    elif prompt == "first":
        x[:, 0] = 1
    elif prompt == "some":
        x[::2, ::3] = 0
    out = sample(sampler, {"main": Given(vocab, noise, sure, dtype)}, x, 0, batch)
    assert bool(((out >= 0) & (out < vocab)).all()) and torch.equal(out[x != vocab], x[x != vocab])
    if sure:
        assert torch.equal(out[x == vocab], (torch.arange(length) % vocab).expand_as(x)[x == vocab])


probability = st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda v: sum(v) > 1e-3)
inside = st.floats(1e-16, 1 - 1e-16, exclude_min=True, exclude_max=True)


@settings(deadline=None, max_examples=300)
@given(probability, inside)
def test_a_value_of_weight_zero_is_never_drawn(weights, u):
    p = torch.tensor([weights], dtype=torch.float64)
    assert p[0, categorical(p, torch.tensor([u], dtype=torch.float64))].item() > 0


@settings(deadline=None, max_examples=300)
@given(probability, st.floats(-1e-16, 1e-16), inside)
def test_laws_equal_up_to_rounding_accept_everything_and_leave_a_drawable_residual(weights, jitter, u):
    p = torch.tensor([weights], dtype=torch.float64)
    p = p / p.sum()
    q = (p * (1 + jitter)).clamp_min(0)
    y = p.argmax(-1)[:, None]
    uniform = torch.tensor([[min(u, 1 - 1e-15)]], dtype=torch.float64)
    assert accept(p.gather(1, y), q.gather(1, y), uniform, torch.tensor([0]), torch.tensor([1])).item() == 1
    token = residual(p, q, uniform[:, 0])
    assert q[0, token].item() > 0


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 63))
def test_the_first_rejection_is_the_first_bad_column_inside_the_window(width, a, b, bits):
    start, stop = sorted((min(a, width), min(b, width)))
    bad = [bool(bits >> k & 1) for k in range(width)]
    q = torch.tensor([[0.0 if x else 1.0 for x in bad]], dtype=torch.float64)
    half = torch.full_like(q, 0.5)
    f = accept(half, q, half, torch.tensor([start]), torch.tensor([stop]))
    assert f.item() == next((k for k in range(start, stop) if bad[k]), stop)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 6), st.integers(1, 8), st.floats(0, 1), st.integers(0, 10_000))
def test_the_recursion_is_a_finite_log_probability_or_minus_infinity(length, rounds, zeros, seed):
    g = torch.Generator().manual_seed(seed)
    logp, logq = ((torch.rand(2, length, length, generator=g,
                              dtype=torch.float64).log() * (torch.rand(2, length, length, generator=g) > zeros * 0.3))
                  for _ in range(2))
    logp, logq = (torch.where(t == 0, float("-inf"), t) for t in (logp, logq))
    value = recursion(logp, logq, Cosine(0.2), rounds)
    assert not bool(value.isnan().any()) and bool((value < 1e-9).all())
