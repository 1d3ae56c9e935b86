"""Randomness: the published answers, an independent implementation, and the laws of what is built on it."""

import numpy as np
import pytest
import torch

from harness.fused.philox import philox4x32, philox_in_place, to_unit
from harness.random import (
    Stream,
    _drawn,
    categorical,
    from_logits,
    integers,
    permutation,
    probability_of,
    residual,
    uniform,
)

KNOWN = [    # Random123 1.14, kat_vectors, philox4x32 10
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]
DEVICES = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("counter, key, answer", KNOWN)
def test_philox_gives_the_published_answers(counter, key, answer, device):
    words = philox4x32(tuple(torch.tensor([c], device=device) for c in counter), key)
    assert tuple(int(w) for w in words) == answer


def test_philox_agrees_with_an_independent_library():
    randomgen = pytest.importorskip("randomgen")
    counters = np.random.default_rng(0).integers(0, 2**32, (50, 4))
    for c in counters:
        key, whole = (int(c[0]) ^ 0x1234, int(c[3])), sum(int(v) << 32 * i for i, v in enumerate(c))
        # it steps first
        theirs = randomgen.Philox(key=key[0] | key[1] << 32, counter=(whole - 1) % 2**128, number=4,
                                  width=32).random_raw(4)
        ours = philox4x32(tuple(torch.tensor([int(v)]) for v in c), key)
        assert [int(w) for w in ours] == [int(w) for w in theirs]


@pytest.mark.parametrize("counter, key, answer", KNOWN)
def test_philox_of_arrays_gives_the_published_answers(counter, key, answer):
    words = [np.array([c], np.uint64) for c in counter]
    philox_in_place(words, key)
    assert tuple(int(w[0]) for w in words) == answer


@pytest.mark.parametrize("rows, places", [(1, 1), (3, 0), (0, 5), (5, 700)])
@pytest.mark.parametrize("seed", [0, 2**32 - 1, 2**63 + 12345])
def test_a_cpu_draws_the_bits_of_the_path_of_tensors(rows, places, seed):
    """Rows and indices of all 64 bits, strides and shared indices among them."""
    ends = np.iinfo(np.int64)
    row, index = (torch.from_numpy(np.random.default_rng(seed % 7).integers(ends.min, ends.max, size, endpoint=True))
                  for size in (rows, (places, 2 * rows)))
    for at in (index.T[::2], index[:, :1].flatten().expand(rows, -1)) if rows else (index.T,):
        low, high = seed & 0xFFFFFFFF, seed >> 32
        stream = torch.full_like(at, 3)
        words = philox4x32((at & 0xFFFFFFFF, at >> 32 & 0xFFFFFFFF, (row & 0xFFFFFFFF)[:, None].expand_as(at), stream),
                           (low, high))
        here = uniform(seed, row, Stream(3), at)
        assert here.dtype == torch.float64 and torch.equal(here, to_unit(*words[:2]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cpu_and_gpu_give_the_same_bits():
    rows, index = torch.arange(1000), torch.arange(257)
    assert torch.equal(uniform(3, rows, Stream.DRAFT, index), uniform(3, rows.cuda(), Stream.DRAFT, index.cuda()).cpu())


def test_uniforms_lie_strictly_inside_the_unit_interval_and_are_uniform():
    u = uniform(1, torch.arange(400), Stream.TOKEN, torch.arange(1000)).flatten()
    assert u.dtype == torch.float64 and 0 < u.min() and u.max() < 1
    gap = (u.sort().values - torch.arange(1, len(u) + 1) / len(u)).abs().max()
    assert gap < 1.95 / len(u) ** 0.5                                              # Kolmogorov-Smirnov at 0.1 %


def test_streams_seeds_rows_and_indices_are_unrelated():
    base = uniform(1, torch.arange(64), Stream.TOKEN, torch.arange(512))
    others = [uniform(1, torch.arange(64), Stream.DRAFT, torch.arange(512)),
              uniform(2, torch.arange(64), Stream.TOKEN, torch.arange(512)),
              uniform(1, torch.arange(64) + 64, Stream.TOKEN, torch.arange(512)),
              uniform(1, torch.arange(64), Stream.TOKEN, torch.arange(512) + 512)]
    for other in others:
        assert (
            abs(float(torch.corrcoef(torch.stack((base.flatten(), other.flatten())))[0, 1])) < 4 / base.numel() ** 0.5
        )


def test_an_index_beyond_32_bits_is_another_draw():
    row = torch.tensor([0])
    a, b = uniform(1, row, Stream.TOKEN, torch.tensor([5])), uniform(1, row, Stream.TOKEN, torch.tensor([5 + 2**32]))
    assert a != b


def test_permutations_are_uniform():
    n = 24_000
    found = permutation(5, torch.arange(n), Stream.ORDER, 4)
    code = (found * torch.tensor([64, 16, 4, 1])).sum(1)
    counts = torch.unique(code, return_counts=True)[1]
    assert len(counts) == 24
    chi2 = float(((counts - n / 24) ** 2 / (n / 24)).sum())
    assert chi2 < 49.7                                                             # 23 degrees of freedom, 0.1 %


def test_categorical_is_the_inverse_of_the_cumulative_distribution():
    p = torch.tensor([0.0, 0.25, 0.0, 0.75, 0.0], dtype=torch.float64)
    u = torch.tensor([1e-15, 0.2499, 0.2501, 1 - 2**-53], dtype=torch.float64)
    assert categorical(p.expand(4, 5), u).tolist() == [1, 1, 3, 3]


@pytest.mark.parametrize("vocab", [2, 27, 50_257])
def test_a_draw_from_logits_is_that_from_their_probabilities_in_float64(vocab):
    logits = 5 * torch.randn(7, 13, vocab, generator=torch.Generator().manual_seed(0))
    logits[0, 0, 1:] = float("-inf")
    u = uniform(3, torch.arange(7), Stream.TOKEN, torch.arange(13))
    p, (tokens, probabilities) = torch.softmax(logits.double(), -1), from_logits(logits, u)
    assert torch.equal(tokens, categorical(p, u))
    for other in (tokens, (tokens + 1) % vocab):
        assert torch.allclose(probability_of(other, logits), p.gather(-1, other[..., None])[..., 0], rtol=1e-12, atol=0)
    assert torch.allclose(probabilities, probability_of(tokens, logits), rtol=1e-12, atol=0)


@pytest.mark.parametrize("vocab", [4097, 5120, 50_257])    # with a rest of one token, without a rest, with one of 81
def test_a_draw_by_blocks_is_that_by_running_sums(vocab):
    """Among weights whose range float64 does not hold, blocks without weight, and uniforms at both ends."""
    logits = 4 * torch.randn(16, 8, vocab, generator=torch.Generator().manual_seed(0))
    logits[0, 0, : vocab // 2], logits[0, 1, 600:], logits[0, 2, :-1] = 3 * [float("-inf")]
    logits[0, 3] -= 800
    logits[0, 4] += 900
    u = uniform(3, torch.arange(16), Stream.TOKEN, torch.arange(8))
    u[1], u[2], u[0, 1] = 1 - 2**-53, 2**-53, 1 - 2**-53
    p, (tokens, probabilities) = torch.softmax(logits.double(), -1), from_logits(logits, u)
    assert torch.equal(tokens, categorical(p, u))    # the old path
    assert torch.equal(_drawn(logits.view(-1, vocab), u.view(-1))[0].view(16, 8), tokens)
    assert torch.allclose(probabilities, p.gather(-1, tokens[..., None])[..., 0], rtol=1e-12, atol=0)
    assert bool((probabilities > 0).all())


@pytest.mark.parametrize("vocab", [27, 5000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_are_left_as_they_are(vocab, dtype):
    logits = torch.randn(3, vocab, generator=torch.Generator().manual_seed(0)).to(dtype)
    before, u = logits.clone(), torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    tokens, p = from_logits(logits, u)
    probability_of(tokens, logits, beside=p)
    assert torch.equal(logits, before)


@pytest.mark.parametrize("vocab", [27, 50_257])
def test_a_comparison_comes_out_as_in_float64(vocab):
    logits = 3 * torch.randn(16, 8, vocab, generator=torch.Generator().manual_seed(0))
    logits[0, 0] -= 800
    logits[0, 1] += 900
    logits[0, 2] += 60
    logits[0, 3] -= 60
    logits[0, 4, 1:] = float("-inf")
    tokens = integers(1, torch.arange(16), Stream.DATA, torch.arange(8), vocab)
    q = probability_of(tokens, logits)
    for off in (0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 3e-4, 0.01, 0.5):
        for beside in (q * (1 + off), q * (1 - off)):
            quick = probability_of(tokens, logits, beside=beside)
            assert torch.equal(beside >= q, beside >= quick), off
            assert torch.allclose(quick, q, rtol=1e-4, atol=0)


def test_categorical_refuses_float32():
    with pytest.raises(AssertionError, match="float64"):
        categorical(torch.ones(1, 3), torch.tensor([0.5]))


def test_integers_stay_in_range_and_cover_it():
    k = integers(1, torch.arange(100), Stream.DATA, torch.arange(100), 7)
    assert set(k.unique().tolist()) == set(range(7))


def test_residual_draws_follow_the_excess_of_target_over_draft():
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).expand(20_000, 3)
    q = torch.tensor([0.2, 0.4, 0.4], dtype=torch.float64).expand(20_000, 3)
    drawn = residual(p, q, uniform(1, torch.arange(20_000), Stream.RESIDUAL, torch.tensor([0]))[:, 0])
    share = torch.bincount(drawn, minlength=3) / 20_000
    assert share[0] == 0 and abs(share[1] - 1 / 3) < 0.012


def test_residual_of_equal_laws_falls_back_to_the_target():
    q = torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64)
    assert residual(q, q, torch.tensor([0.3], dtype=torch.float64)).item() == 1
