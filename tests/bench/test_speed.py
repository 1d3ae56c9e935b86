"""What the parts of sampling cost: `make bench`. The counts in extra_info come from the ledger and are asserted: a
benchmark guards passes and FLOPs as well as time.
"""

import time
from statistics import median, stdev

import pytest
import torch

from baselines.ancestral import Ancestral
from harness.nets.finite import Finite
from harness.nets.transformer import Transformer, TransformerConfig
from harness.nets.wrap import Wrapper
from harness.random import Stream, categorical, from_logits, permutation, uniform
from harness.records.store import Store
from harness.run.clock import timed
from harness.sampling.accept import accept
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.window import Cosine, Linear
from harness.spec import ROOT
from reports.build import build, frames
from reports.frame import chapters
from reports.records import read
from ssmd.model import Hybrid, HybridConfig, Kept
from ssmd.sampler import SelfSpeculative
from studies.speed.claims import bare, loops

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


@pytest.mark.parametrize("vocab", [27, 50_257])
def test_draws_from_logits(benchmark, vocab):
    logits, u = torch.randn(B, 4, vocab), torch.rand(B, 4, dtype=torch.float64)
    benchmark.extra_info["draws"] = u.numel()
    token, _ = benchmark(from_logits, logits, u)
    assert token.shape == u.shape and int(token.max()) < vocab


def test_accept_a_window(benchmark):
    p, q, u = torch.rand(3, B, 16, dtype=torch.float64)
    zero = torch.zeros(B, dtype=torch.int64)
    benchmark(accept, p, q, u, zero, zero + 16)


def test_window_gather_before_softmax(benchmark):
    logits, at = torch.rand(B, L, V), torch.arange(16).expand(B, 16)
    benchmark(lambda: torch.softmax(logits.gather(1, at[..., None].expand(-1, -1, V)).double(), -1))


def test_append_to_the_store(benchmark, tmp_path):
    store = Store(tmp_path)
    record = {"type": "timed", "key": "k", "process": 0, "rows": 4, "seconds": [1.0] * 5, "same_output": True,
              "machine": "m", "samples_sha256": "",
              "made": {"tree": "t", "torch": "2", "numpy": "2"}}
    benchmark.pedantic(store.append, args=(record,), rounds=50)


def test_numbers_of_a_report(benchmark):
    """Every frame of a kept run of 26 cells, without a figure."""
    (chapter,) = chapters(read([ROOT / "studies/schedule/kept.zip"]))
    benchmark.extra_info["cells"] = len(chapter.cells)
    benchmark.pedantic(frames, args=(chapter, "ancestral", 200), rounds=3)
    assert benchmark.extra_info["cells"] == 26


def test_a_report(benchmark, tmp_path):
    if not benchmark.enabled:
        pytest.skip("half a minute on one core, nearly all of it figures: with `make bench` alone")
    benchmark.pedantic(build, args=([ROOT / "studies/schedule/kept.zip"], tmp_path), rounds=1)


# NFE by conventions A, B and C, and executed MFLOP, a row; the target of a fresh hybrid is its draft, so that all is
# accepted
LOOPS = {
    "ancestral": (Ancestral(8), Transformer, TransformerConfig(vocab=V, width=64, heads=2, blocks=3),
                  (8, 8, 7.930386740, 176.506368)),
    "ssmd": (SelfSpeculative(Cosine(0.1), 2), Hybrid, HybridConfig(vocab=V, width=64, heads=2, blocks=2),
             (15, 10, 11.104452996, 165.470208)),
}


def counts(ledger: Ledger, net: Transformer) -> dict[str, float]:
    """A row, in units of a whole draft pass of the network itself."""
    whole = net.flops("draft", ledger.length, ledger.length)
    return {"nfe_a": float(ledger.blocks.double().mean()) / net.blocks("draft"),
            "nfe_b": float(ledger.drafts.double().mean()),
            "nfe_c": float(ledger.flops.double().mean()) / whole, "mflop": ledger.executed_flops / ledger.n / 1e6}


@pytest.mark.parametrize("metered", [False, True])
@pytest.mark.parametrize("name", LOOPS)
def test_a_sampling_loop(benchmark, name, metered):
    torch.manual_seed(0)
    sampler, network, config, expected = LOOPS[name]
    net, prompts, ledger = network(config).eval(), torch.full((16, 64), V), Ledger(16, 64, V)
    sample(sampler, {"main": net}, prompts, 0, 16, ledger=ledger)
    benchmark.extra_info |= counts(ledger, net)
    benchmark.pedantic(lambda: sample(sampler, {"main": net}, prompts, 0, 16, ledger=Ledger(16, 64, V) if metered
                                      else None), rounds=5, warmup_rounds=1)
    assert list(benchmark.extra_info.values()) == pytest.approx(expected, rel=1e-6), benchmark.extra_info


@pytest.mark.parametrize("name", loops())
def test_a_sampling_loop_beside_its_bare_passes(benchmark, name):
    """The overhead of sampling, printed; the claims overhead.* are of studies/speed, which takes more turns."""
    if not benchmark.enabled:
        pytest.skip("seconds on an idle core: with `make bench` alone")
    run = loops()[name]
    play = bare(run, run.net)
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    benchmark.extra_info["over_its_passes"] = median(timed(run)[0] / timed(play)[0] for _ in range(3))


class Instant(Wrapper):
    """Logits without a pass, the same for draft and target; costs are those of the network inside."""

    def draft(self, x, at=None, alive=None, clock=None):
        return torch.zeros(*at.shape, V), Kept(torch.zeros(*x.shape, 1))

    def verify(self, hidden, y, order, at, alive=None):
        return torch.zeros(*at.shape, V)


SHIPPED = {"ancestral": (Ancestral(2), Transformer, TransformerConfig(V, 128, 4, 6)),
           "ssmd": (SelfSpeculative(Linear(0.5), 2), Hybrid, HybridConfig(V, 128, 4, 5))}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_ledger_costs_at_most_one_percent_of_the_passes(benchmark, name):
    """Networks of the shipped size, 16 rows of 128 symbols.

    Two runs of a real network differ by 5 % on a busy machine, which hides 1 %. So metered and bare runs, in turns, are
    of a network that answers at once and is called just as often: their difference is the ledger alone. It is set
    beside a bare run of the real network, all in seconds of this thread. The tolerance is four standard errors of the
    median difference. With few rows the passes are short and the share is larger: about 2 % of the self-speculative
    sampler's at four rows.
    """
    sampler, kind, config = SHIPPED[name]
    prompts, network = torch.full((16, 128), V), kind(config).eval()

    def seconds(net, ledger: Ledger | None) -> float:
        begun = time.thread_time()
        sample(sampler, {"main": net}, prompts, 0, 16, ledger=ledger)
        return time.thread_time() - begun

    seen, instant = [Ledger(16, 128, V) for _ in range(2)], Instant(network)
    seconds(instant, seen[1])
    passes = seconds(network, seen[0]), seconds(network, None)
    assert {k: v.tolist() for k, v in seen[0].calls.items()} == {k: v.tolist() for k, v in seen[1].calls.items()}
    each = [seconds(instant, Ledger(16, 128, V)) - seconds(instant, None) for _ in range(15)]
    share, error = median(each) / min(passes), 1.25 * stdev(each) / len(each) ** 0.5 / min(passes)
    benchmark.extra_info |= {"percent_of_the_passes": 100 * share, "standard_error": 100 * error}
    benchmark.pedantic(seconds, args=(instant, Ledger(16, 128, V)), rounds=5)
    assert share <= 0.01 + 4 * error, benchmark.extra_info


@pytest.mark.parametrize("name", SHIPPED)
def test_looking_at_the_logits_costs_at_most_one_percent_of_the_passes(benchmark, name):
    """Measured as the ledger is, above: looked at or not, in turns, on a network that answers at once, beside a bare
    run of a real one.
    """
    sampler, kind, config = SHIPPED[name]
    prompts, network = torch.full((16, 128), V), kind(config).eval()

    def seconds(net) -> float:
        begun = time.thread_time()
        sample(sampler, {"main": net}, prompts, 0, 16)
        return time.thread_time() - begun

    instant = Instant(network)
    seconds(Finite(instant, "main"))
    passes = seconds(network)
    each = [seconds(Finite(instant, "main")) - seconds(instant) for _ in range(15)]
    share, error = median(each) / passes, 1.25 * stdev(each) / len(each) ** 0.5 / passes
    benchmark.extra_info |= {"percent_of_the_passes": 100 * share, "standard_error": 100 * error}
    benchmark.pedantic(seconds, args=(Finite(instant, "main"),), rounds=5)
    print(f"{name}: {100 * share:.2f} % of the passes, standard error {100 * error:.2f} %")
    assert share <= 0.01 + 4 * error, benchmark.extra_info
