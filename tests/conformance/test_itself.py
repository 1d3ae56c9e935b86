"""A network that looks left and verifies itself: the self-speculative sampler then keeps its law, one token a pass."""

import pytest
import torch

from baselines.first_hitting import FirstHitting
from harness.metrics.law import null_quantile, total_variation
from harness.nets import checkpoint
from harness.nets.itself import Itself, VerifiesItself
from harness.nets.transformer import Transformer, TransformerConfig
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.order import UNIFORM, LeftToRight
from harness.schedules.window import Fixed
from ssmd.bonus import SelfSpeculativeBonus
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import DATA, MASK, STATES, D, N, V, single

LEFT = LeftToRight()


def looking_left(seed: int = 0, left: int = 2, told: int = 0) -> Transformer:
    torch.manual_seed(seed)
    net = Transformer(TransformerConfig(V, 16, 2, 2, left=left, end=V - 1 if told else -1, told=told)).eval()
    for weight in net.parameters():
        if weight.dim() == 2:
            torch.nn.init.normal_(weight, std=0.7)
    net.sha256, net.card = "", {}
    return net.double().requires_grad_(False)


def law(net: Transformer) -> torch.Tensor:
    """Of one token a pass, by one pass over each text for each place."""
    found = torch.zeros(len(STATES), dtype=torch.float64)
    for place in range(D):
        beginning = torch.where(torch.arange(D) < place, STATES, MASK)
        found += net.draft(beginning)[0][:, place].log_softmax(-1).gather(1, STATES[:, place, None])[:, 0]
    return found.exp()


def run(sampler, net, n: int = 4 * N):
    ledger, prompts = Ledger(n, D, MASK), torch.full((n, D), MASK)
    return sample(sampler, {"main": net}, prompts, 0, 1024, ledger=ledger), ledger


def apart(x: torch.Tensor, law: torch.Tensor) -> float:
    """Distance over the largest that chance allows."""
    counts = torch.bincount(DATA.index(x), minlength=len(STATES))
    return total_variation(counts, law) / null_quantile(law, len(x), draws=250)


@pytest.mark.parametrize("sampler", [
    SelfSpeculative(Fixed(2), 1, LEFT), SelfSpeculative(Fixed(4), 1, LEFT), SelfSpeculative(Fixed(4), 8, LEFT),
    SelfSpeculativeBonus(Fixed(3), 1, LEFT), SelfSpeculativeBonus(Fixed(2), 4, LEFT)], ids=str)
def test_the_law_is_that_of_one_token_a_pass(sampler):
    net = looking_left()
    x, ledger = run(sampler, VerifiesItself(single(net)))
    assert apart(x, law(net)) < 1
    assert ledger.calls["main.verify"].double().mean() + ledger.calls["main.draft"].double().mean() > 2


def test_the_law_could_be_told_from_that_of_unverified_drafts():
    net = looking_left()
    assert apart(run(FirstHitting(4, LEFT), net)[0], law(net)) > 2


def test_a_verify_pass_costs_a_whole_one():
    net = VerifiesItself(looking_left())
    _, ledger = run(SelfSpeculative(Fixed(4), 1, LEFT), net, n=64)
    passes = ledger.calls["main.verify"] + ledger.calls["main.draft"]
    assert ledger.blocks.tolist() == (2 * passes).tolist() and net.blocks("verify") == net.blocks("draft") == 2
    assert net.flops("verify", D, 3, 2, 1) == net.flops("draft", D, 3)


def test_another_order_than_from_the_left_is_refused():
    with pytest.raises(ValueError, match="choose order=LeftToRight"):
        run(SelfSpeculative(Fixed(2), 1, UNIFORM), VerifiesItself(looking_left()), n=8)


def test_given_tokens_may_stand_anywhere():
    """A place on the left of a given token does not read it: the law there is that of the text before."""
    net, prompts = looking_left(), torch.full((4 * N, D), MASK)
    prompts[:, -1] = 1
    x = sample(SelfSpeculative(Fixed(3), 2, LEFT), {"main": VerifiesItself(net)}, prompts, 0, 1024)
    before = law(net).reshape(-1, V).sum(1)                                        # (states / V,)
    expected = torch.where(STATES[:, -1] == 1, before.repeat_interleave(V), 0)
    assert apart(x, expected) < 1


def test_an_end_that_it_drafts_does_not_change_what_places_before_it_were_told():
    net = looking_left(told=2).float()
    mine, order = VerifiesItself(net), torch.arange(D)[None]
    x = torch.full((1, D), MASK)
    _, hidden = mine.draft(x)
    at = torch.arange(D)[None]
    y = torch.zeros(1, D, dtype=torch.int64)
    ended = y.clone()
    ended[0, 2] = V - 1
    a, b = (mine.verify(hidden, text, order, at) for text in (y, ended))
    torch.testing.assert_close(a[:, :3], b[:, :3], rtol=0, atol=1e-5)
    assert (a[:, 3:] - b[:, 3:]).abs().max() > 1e-3


def test_a_network_that_looks_both_ways_is_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    checkpoint.save(looking_left().float(), path, {"name": "net"})
    loaded = Itself(str(path)).load("cpu")
    assert loaded.blocks("verify") == 2 and loaded.sha256
    checkpoint.save(looking_left(left=1).float(), tmp_path / "both.safetensors", {"name": "net"})
    with pytest.raises(ValueError, match="look left"):
        Itself(str(tmp_path / "both.safetensors")).load("cpu")
