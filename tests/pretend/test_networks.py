"""Networks, what wraps them, the judge and the searches of time grids, on a device that is not the CPU."""

import pytest
import torch

from baselines.first_hitting import FirstHitting
from harness.data.markov import Markov
from harness.metrics.judge import Judge
from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.finite import Finite
from harness.nets.nucleus import Nucleus
from harness.nets.transformer import Transformer, TransformerConfig
from harness.nets.wrap import Half, Switch, Temper
from harness.random import LARGE, Stream, from_logits, probability_of, uniform
from harness.sampling.loop import sample
from harness.schedules.placement import Prefix
from harness.search.time_grid import SEARCHES
from ssmd.sampler import SelfSpeculative
from tests.golden.toys import IDS, prompts, toy
from tests.pretend.away import DEVICE
from tests.pretend.device import moved, pretended

SMALL = TransformerConfig(vocab=5, width=16, heads=2, blocks=1)
DATA = Markov(symbols=5, length=12)
WRAPPED = {
    "finite": lambda main, light: Finite(main, "main"), "temper": lambda main, light: Temper(main, 0.7),
    "nucleus": lambda main, light: Nucleus(main, 0.9), "half": lambda main, light: Half(main),
    "switch": lambda main, light: Switch(main, light, Prefix(0.5), "count")}


@pytest.mark.parametrize("name", WRAPPED)
def test_a_wrapper_writes_the_tokens_of_the_cpu(name):
    nets, x = toy("hybrid"), prompts(toy("hybrid")["main"])
    sampler = FirstHitting(3) if name == "switch" else SelfSpeculative(rounds=2)
    with pretended():
        there = sample(sampler, {"main": WRAPPED[name](*map(moved, nets.values()))}, x.to(DEVICE), 3, 7, IDS.to(DEVICE))
        assert there.device.type == DEVICE
    wrapped = nets["main"] if name == "half" else WRAPPED[name](*nets.values())    # the device has no products in half
    assert torch.equal(there.inner, sample(sampler, {"main": wrapped}, x, 3, 7, IDS))


@torch.inference_mode()
def test_a_plain_transformer_gives_the_logits_of_the_cpu():
    net, x = Transformer(SMALL).eval().requires_grad_(False), torch.full((2, 6), SMALL.vocab)
    with pretended():
        logits, _ = moved(net).draft(x.to(DEVICE), torch.tensor([[0, 3], [5, -1]], device=DEVICE))
    assert torch.equal(logits.inner, net.draft(x, torch.tensor([[0, 3], [5, -1]]))[0])


def test_draws_from_a_large_vocabulary_are_those_of_the_cpu_and_nobody_waits():
    u = uniform(5, torch.arange(6), Stream.TOKEN, torch.arange(4))                 # (6, 4)
    logits = (uniform(6, torch.arange(6), Stream.DATA, torch.arange(4 * (LARGE + 9))) * 9).view(6, 4, -1).float()
    logits[1] += 800    # whose weights leave the range of float64
    token, p = from_logits(logits, u)
    with pretended() as tally:
        far, v = logits.to(DEVICE), u.to(DEVICE)
        before = tally.waited()
        token_there, p_there = from_logits(far, v)
        q_there = probability_of(token_there, far, beside=v)
        assert tally.waited() == before
    assert torch.equal(token_there.inner, token)
    assert torch.allclose(p_there.inner, p, rtol=1e-12, atol=0) and torch.allclose(q_there.inner, p, rtol=1e-12, atol=0)


def test_a_judge_scores_on_its_device(tmp_path):
    path = tmp_path / "judge.safetensors"
    checkpoint.save(Autoregressive(SMALL), path, {})
    rows = DATA.rows("test", 7, 0)
    here = Judge(str(path)).score(rows, DATA)
    with pretended() as tally:
        judge = Judge(str(path), device=DEVICE)
        there = judge.score(rows, DATA)
        assert judge.identity() == Judge(str(path)).identity()
    assert there.value == here.value and tally.kernels


@pytest.mark.parametrize("by", SEARCHES)
def test_a_time_grid_found_on_a_device_is_that_of_the_cpu(by):
    net, rows = Transformer(SMALL).eval().requires_grad_(False), DATA.rows("validation", 6, 0)
    with pretended():
        there = SEARCHES[by](moved(net), rows.to(DEVICE), [2, 3])
    assert there == SEARCHES[by](net, rows, [2, 3])
