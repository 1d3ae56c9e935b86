"""Training: a killed run that resumes is the unbroken run, the card tells the truth, and the losses are what they are said to be."""

import torch
from pytest import fixture, mark, raises

from harness.data.markov import Markov
from harness.nets import checkpoint
from harness.schedule import Cosine, Linear, Polynomial
from ssmd.likelihood import masked_bound, tables
from ssmd.loss import draft_loss, mask_counts, target_loss
from ssmd.train import Training, train



class Corpus(Markov):
    """A Markov source with a text to crop from."""

    def tokens(self, split):
        return self.rows(split, 400, 0).flatten()


SOURCE = Corpus(symbols=5, length=16)
SMALL = Training("hybrid", width=16, heads=2, blocks=2, batch=8, tokens=220 * 8 * 16, warmup=10)


@fixture(scope="module")
def unbroken(tmp_path_factory):
    return train(SMALL, SOURCE, tmp_path_factory.mktemp("whole"), "net", say=lambda text: None, command="ssmd-bench train net")


def test_a_killed_run_resumes_to_the_same_weights(unbroken, tmp_path):
    class Killed(Exception):
        pass

    def die(text):
        if " 200/220 " in text:
            raise Killed

    with raises(Killed):
        train(SMALL, SOURCE, tmp_path, "net", say=die, save_seconds=0)
    said = []
    path = train(SMALL, SOURCE, tmp_path, "net", say=said.append)
    assert said[0].startswith("resumed at step 1")
    a, b = checkpoint.load(unbroken), checkpoint.load(path)
    assert a.sha256 == b.sha256
    assert not (tmp_path / "state.safetensors").exists()


def test_a_finished_run_is_not_trained_again(unbroken):
    said = []
    assert train(SMALL, SOURCE, unbroken.parent, "net", say=said.append) == unbroken and "finished" in said[0]


def test_the_card_says_what_was_trained(unbroken):
    card = checkpoint.load(unbroken).card
    assert card["steps"] == 220 and card["tokens"] == 220 * 8 * 16 and card["data"] == SOURCE.identity() and card["command"] == "ssmd-bench train net"
    assert set(card["validation_nats_per_token"]) == {"draft", "target"}


def test_a_damaged_state_and_one_of_other_settings_are_refused_with_a_sentence(tmp_path):
    (tmp_path / "state.safetensors").write_bytes(b"torn")
    with raises(ValueError, match="delete it"):
        train(SMALL, SOURCE, tmp_path, "net", say=lambda text: None)


@mark.parametrize("schedule", [Linear(), Cosine(), Polynomial(2.0)], ids=str)
def test_weights_make_every_law_of_i_an_estimate_of_the_same_bound(schedule):
    """E over the drawn i of its weight times f(i) must be the mean of L/(L-i) f(i) over all i, for any f."""
    L, n = 16, 4096
    i, w = mask_counts(schedule, torch.arange(n), L, seed=0, step=0)
    f = torch.sin(torch.arange(L) * 0.7) + 2
    exact = (L / (L - torch.arange(L)) * f).mean()
    assert abs((w * f[i]).mean() - exact) < 0.03 * exact


def test_the_draft_term_averaged_over_i_is_the_enumerated_bound(unbroken):
    net, L = checkpoint.load(unbroken), 16
    x = SOURCE.rows("test", 3, 0)
    order = torch.stack([torch.randperm(L, generator=torch.Generator().manual_seed(k)) for k in range(3)])
    bound, total = masked_bound(tables(net, x, order)[0]), torch.zeros(3)
    for i in range(L):
        hidden = order.argsort(1) >= i
        logits, _ = net.draft(torch.where(hidden, net.mask, x))
        each = torch.stack([draft_loss(logits[[b]], x[[b]], hidden[[b]], torch.tensor([L / (L - i)])) * L for b in range(3)])
        total += each / L
    assert torch.allclose(-bound.float(), total, atol=1e-4)


def test_the_target_term_equals_a_slow_sum(unbroken):
    g = torch.Generator().manual_seed(0)
    x, logits = torch.randint(0, 5, (2, 16), generator=g), torch.randn(2, 16, 5, generator=g)
    order, i, w = torch.stack([torch.randperm(16, generator=g) for _ in range(2)]), torch.tensor([3, 9]), torch.tensor([1.5, 2.0])
    slow = sum(-w[b] * logits[b, r].log_softmax(-1)[x[b, order[b, r]]] for b in range(2) for r in range(int(i[b]), 16)) / 32
    assert torch.allclose(target_loss(logits, x, order, i, w), slow, atol=1e-5)
