"""What the parts of sampling cost: `make bench`. The counts in extra_info guard passes and FLOPs as well as time."""

import pytest
import torch

from baselines.ancestral import Ancestral
from harness.ledger import Ledger
from harness.loop import sample
from harness.nets.transformer import Transformer, TransformerConfig
from harness.random import Stream, categorical, permutation, uniform
from harness.store import Store
from harness.window import Cosine
from ssmd.accept import accept
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative

B, L, V = 64, 256, 27
ROWS = torch.arange(B)


def test_counter_based_uniforms(benchmark):
    benchmark.extra_info["draws"] = B * L
    benchmark(uniform, 0, ROWS, Stream.TOKEN, torch.arange(L))


def test_torch_rand_beside_it(benchmark):
    benchmark.extra_info["draws"] = B * L
    benchmark(torch.rand, B, L, dtype=torch.float64)


def test_permutations(benchmark):
    benchmark(permutation, 0, ROWS, Stream.ORDER, L)


@pytest.mark.parametrize("vocab", [27, 50_258])
def test_categorical_draws(benchmark, vocab):
    p = torch.rand(B, vocab, dtype=torch.float64)
    benchmark(categorical, p, torch.rand(B, dtype=torch.float64))


def test_accept_a_window(benchmark):
    p, q, u = torch.rand(3, B, 16, dtype=torch.float64)
    zero = torch.zeros(B, dtype=torch.int64)
    benchmark(accept, p, q, u, zero, zero + 16)


def test_window_gather_before_softmax(benchmark):
    logits, at = torch.rand(B, L, V), torch.arange(16).expand(B, 16)
    benchmark(lambda: torch.softmax(logits.gather(1, at[..., None].expand(-1, -1, V)).double(), -1))


def test_append_to_the_store(benchmark, tmp_path):
    store = Store(tmp_path)
    benchmark.pedantic(store.append, args=({"type": "timed", "seconds": [1.0] * 5},), rounds=50)


@pytest.mark.parametrize("metered", [False, True])
@pytest.mark.parametrize("name", ["ancestral", "ssmd"])
def test_a_sampling_loop(benchmark, name, metered):
    torch.manual_seed(0)
    if name == "ancestral":
        sampler, net = Ancestral(8), Transformer(TransformerConfig(vocab=V, width=64, heads=2, blocks=3)).eval()
    else:
        sampler, net = SelfSpeculative(Cosine(0.1), 2), Hybrid(HybridConfig(vocab=V, width=64, heads=2, blocks=2)).eval()
    prompts, ledger = torch.full((16, 64), V), Ledger(16, 64, V)
    sample(sampler, {"main": net}, prompts, 0, 16, ledger=ledger)
    benchmark.extra_info |= {"passes": float(ledger.drafts.double().mean()), "mflop": float(ledger.flops.double().mean()) / 1e6}
    benchmark.pedantic(lambda: sample(sampler, {"main": net}, prompts, 0, 16, ledger=Ledger(16, 64, V) if metered else None), rounds=5, warmup_rounds=1)
