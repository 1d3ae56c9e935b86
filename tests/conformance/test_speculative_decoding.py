"""Speculative decoding from left to right: its law is the heavy network's own, its prices are those of kept keys."""

import pytest
import torch

from baselines.first_hitting import FirstHitting
from baselines.speculative import Speculative
from harness.metrics.law import null_quantile, total_variation
from harness.nets.autoregressive import Autoregressive
from harness.nets.causal import LeftToRight as Causal
from harness.nets.transformer import TransformerConfig
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.order import LeftToRight
from tests.conformance.toys import DATA, MASK, STATES, D, N, V, single, table_nets

KS = (1, 2, 3, 7)


def causal(seed: int = 0) -> Causal:
    torch.manual_seed(seed)
    net = Autoregressive(TransformerConfig(vocab=V, width=16, heads=2, blocks=1)).eval()
    for p in net.parameters():
        if p.dim() == 2:
            torch.nn.init.normal_(p, std=0.7)
    return Causal(net.double().requires_grad_(False))


def fast(nets: dict) -> dict:
    return {name: Causal(single(net.trunk)) for name, net in nets.items()}


def law(net: Causal) -> torch.Tensor:
    return net.trunk(STATES).log_softmax(-1).gather(-1, STATES[..., None]).sum((1, 2)).exp()


def apart(x: torch.Tensor, law: torch.Tensor) -> float:
    """Distance over the largest that chance allows."""
    counts = torch.bincount(DATA.index(x), minlength=len(STATES))
    return total_variation(counts, law) / null_quantile(law, len(x), draws=250)


def run(sampler, nets, n=4 * N, batch=1024, length=D):
    ledger, prompts = Ledger(n, length, MASK), torch.full((n, length), MASK)
    x = sample(sampler, nets, prompts, 0, batch, ledger=ledger)
    ledger.end(x, prompts, None)
    return x, ledger


@pytest.mark.parametrize("k, bonus", [*((k, True) for k in KS), (3, False)])
def test_the_law_is_that_of_the_heavy_network(k, bonus):
    """Without a bonus no k changes a token (below)."""
    heavy, light = causal(0), causal(1)
    assert apart(run(Speculative(k, bonus), fast({"main": heavy, "light": light}))[0], law(heavy)) < 1


def test_the_law_of_the_light_network_could_be_told():
    heavy, light = causal(0), causal(1)
    assert apart(run(FirstHitting(order=LeftToRight()), fast({"main": light}))[0], law(heavy)) > 2


@pytest.mark.parametrize("bonus", [True, False])
def test_networks_that_look_both_ways_have_the_law_too(bonus):
    nets = table_nets()
    assert apart(run(Speculative(2, bonus), nets)[0], DATA.law()) < 1
    _, ledger = run(Speculative(2, bonus), nets, n=64)
    assert (ledger.calls["main.draft"] > ledger.calls["light.draft"] * bonus).all()    # k + 1 or k states a round


def test_k_changes_the_cost_and_not_one_token():
    nets = {"main": causal(0), "light": causal(1)}
    rows = [run(Speculative(k, False), nets, n=500)[0] for k in KS]
    assert all(torch.equal(rows[0], other) for other in rows)


@pytest.mark.parametrize(["bonus", "rounds"], [(True, 4), (False, 5)])
def test_a_light_network_that_is_the_heavy_one_is_never_refused(bonus, rounds):
    """20 tokens by 5 or 4 a round."""
    nets = {"main": causal(), "light": causal()}
    _, ledger = run(Speculative(4, bonus), nets, n=32, length=20)
    assert not ledger.rejected.any() and ledger.calls["main.draft"].tolist() == [rounds] * 32
    assert ledger.tests.tolist() == [rounds] * 32 and (ledger.kept == (16 if bonus else 20)).all()


def test_passes_are_billed_as_with_kept_keys_and_values():
    """Of the heavy network each place once; of the light one each place but the last of a round, and what it had not
    read after a bonus.
    """
    net, L = causal(), 20
    c = net.config
    _, alone = run(FirstHitting(order=LeftToRight()), {"main": net}, n=8, length=L)
    whole = sum(c.blocks * (24 * c.width**2 + 4 * c.width * (i + 1)) + 2 * c.width * V for i in range(L))
    assert alone.tracks.tolist() == [L] * 8 and alone.flops.tolist() == [whole] * 8
    assert alone.executed_flops == 8 * L * net.flops("draft", L, 1)
    _, ledger = run(Speculative(4, True), {"main": net, "light": causal()}, n=8, length=L)
    # 4 rounds: heavy 5 tokens each; light 4, then 5 in each round that follows a bonus
    assert ledger.tracks.tolist() == [4 * 5 + 4 + 3 * 5] * 8


@pytest.mark.parametrize("a", [0.6, 0.8, 0.9])
def test_tokens_a_round_are_those_of_the_formula(a):
    """(1 - a^(k+1)) / (1 - a) with a bonus, and without it a correction for the first rejection alone (arXiv
    2211.17192).
    """
    class Flat:
        """The same law everywhere."""
        one_pass_chain, vocab, mask = True, 2, 2

        def __init__(self, p):
            self.log = torch.tensor([p, 1 - p], dtype=torch.float64).log()

        def draft(self, x, at=None, alive=None, clock=None):
            return self.log.expand(*at.shape, 2), x

        def flops(self, *_): return 1
        def blocks(self, kind): return 1

    k, L, n = 4, 400, 64
    nets = {"main": Flat(0.5), "light": Flat(0.5 + (1 - a))}    # TV of the two is 1 - a
    for bonus, tokens in ((True, (1 - a**5) / (1 - a)), (False, (1 - a**4) / (1 - a))):
        ledger = Ledger(n, L, 2)
        sample(Speculative(k, bonus), nets, torch.full((n, L), 2), 0, n, ledger=ledger)
        assert float(ledger.tokens.sum() / ledger.tests.sum()) == pytest.approx(tokens, rel=0.02)
