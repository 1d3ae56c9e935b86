"""Several heads on an autoregressive network: the law is the network's own whatever is guessed, good guesses save
passes, and the study at toy size.
"""

from dataclasses import replace

import pytest
import torch

import studies.multi_token.claims as found
import studies.multi_token.study as study
from harness.metrics.law import null_quantile, total_variation
from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.transformer import TransformerConfig
from harness.records.store import Store
from harness.run import runner
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.study import Checkpoint
from reports.gallery import shown
from studies.multi_token.heads import Guessed, Heads
from tests.conformance.toys import DATA, STATES, D, N, V
from tests.test_model import CONFIG, rough
from tests.test_studies import whole


def heads(ahead: int = 4, apart: float = 1.0) -> Heads:
    """Random weights; apart: how far the heads are from those that guess as the trunk does."""
    torch.manual_seed(0)
    trunk = Autoregressive(TransformerConfig(vocab=V, width=16, heads=2, blocks=1)).eval()
    for p in trunk.parameters():
        if p.dim() == 2:
            torch.nn.init.normal_(p, std=0.7)
    net = Heads(trunk, ahead)
    for head in net.ahead:
        torch.nn.init.normal_(head.head.weight, std=apart)
    return net.double().eval().requires_grad_(False)


def law(net: Heads) -> torch.Tensor:
    logits = net.head(net.trunk(STATES)).log_softmax(-1)
    return logits.gather(-1, STATES[..., None]).sum((1, 2)).exp()


@pytest.mark.parametrize("k", [0, 1, 2, 4])
def test_the_law_is_the_network_s_own_whatever_is_guessed(k):
    net = heads()
    x = sample(Guessed(k), {"main": net}, torch.full((4 * N, D), net.mask), 0, 1024)
    counts = torch.bincount(DATA.index(x), minlength=len(STATES))
    assert total_variation(counts, law(net)) < null_quantile(law(net), 4 * N, draws=250)


def test_the_law_could_be_told_from_that_of_the_guesses():
    net, other = heads(), heads()
    other.head.load_state_dict(net.ahead[0].head.state_dict())
    assert total_variation(4 * N * law(other), law(net)) > 2 * null_quantile(law(net), 4 * N, draws=250)


def test_a_row_depends_on_neither_its_batch_nor_the_network_s_answers_for_others():
    net = heads()
    prompts = torch.full((40, D), net.mask)
    a, b = (sample(Guessed(2), {"main": net}, prompts, 3, batch) for batch in (40, 7))
    assert torch.equal(a, b)


def test_heads_that_know_the_law_are_never_refused_and_a_pass_tests_all_of_them():
    """A trunk that reads nothing has the same law everywhere, and heads that begin as its own guess it."""
    net, L, k = heads(3), 16, 3
    for p in net.trunk.embed.parameters():
        torch.nn.init.ones_(p)
    for head in net.ahead:
        head.head.load_state_dict(net.head.state_dict())
    ledger = Ledger(8, L, net.mask)
    sample(Guessed(k), {"main": net}, torch.full((8, L), net.mask), 0, 8, ledger=ledger)
    assert ledger.drafts.tolist() == [1 + -(-(L - 1) // (k + 1))] * 8    # the first pass has no guesses
    assert ledger.blocks.tolist() == ledger.drafts.tolist()
    assert torch.equal(ledger.tested["depth"], ledger.passed["depth"]) and ledger.passed["depth"][:k].all()


def test_training_teaches_each_head_its_own_distance(monkeypatch):
    monkeypatch.setattr(found, "STEPS", 60)
    monkeypatch.setattr(found, "RATE", 1e-2)
    net = Heads(Autoregressive(TransformerConfig(vocab=27, width=32, heads=2, blocks=1)), 2)
    before, trunk = net.head.weight.clone(), [p.clone() for p in net.trunk.parameters()]
    x = torch.arange(8)[:, None] + torch.arange(12)

    class Counting:
        length = 12

        @staticmethod
        def tokens(split):
            return torch.arange(400) % 5

    net = found.trained(net, Counting, "judge")
    with torch.no_grad():
        for k, loss in enumerate(found.losses(net, x % 5)):
            assert loss < 0.3, k
    assert torch.equal(before, net.head.weight) and all(torch.equal(a, b) for a,
                                                        b in zip(trunk, net.trunk.parameters()))


def test_the_study_at_toy_size_makes_its_claims_and_its_figure(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(found, "STEPS", 2)
    monkeypatch.setattr(found, "TRUNK", tmp_path / "judge.safetensors")
    data = replace(study.STUDY.data, length=24)
    checkpoint.save(rough(replace(CONFIG, vocab=data.vocab)), tmp_path / "net.safetensors", {"name": "net"})
    checkpoint.save(Autoregressive(TransformerConfig(vocab=data.vocab, width=16, heads=2, blocks=1)),
                    tmp_path / "judge.safetensors", {"name": "judge"})
    small = replace(study.STUDY, n=16, data=data, nets=dict.fromkeys(study.STUDY.nets,
                                                                     Checkpoint(str(tmp_path / "net.safetensors"))))
    assert study.claims(Store(tmp_path / "run"),
                        "a command") == [] and found.measure(small, Store(tmp_path / "run")) == []
    runner.run(small, tmp_path / "run", timing=False)
    store = Store(tmp_path / "run")
    (record,) = study.measure(small, store)
    rows = whole(study.claims(store, "a command"), store)
    assert rows.keys() == {*(f"multi_token.passes.k{k}" for k in (1, 2, 4, 8)), "multi_token.spelling_minus_dilated",
                           "multi_token.ngram_minus_dilated"}
    assert study.measure(small, store) == [record] and all(1 < rows[f"multi_token.passes.k{k}"]["value"] <= 24
                                                           for k in (1, 2, 4, 8))
    ((_, _, _, caption),) = shown(tmp_path / "run", ["beside"])
    assert "n = 16" in caption
