"""A chain fitted to text, the exact network of it, and what samples of it score."""

from itertools import permutations

import numpy as np
import pytest
import torch

from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.data.bigram import Bigram
from harness.data.class_chain import ClassChain
from harness.data.exact import Exact
from harness.data.markov import Markov, MarkovLaw
from harness.data.prose import Prose
from harness.data.proteins import Proteins
from harness.data.text_file import TextFile
from harness.metrics.chain import NllExcess, TransitionKl
from harness.metrics.law import null_quantile, total_variation
from harness.nets.chain import Chain
from harness.nets.tabular import Tabular
from harness.sampling.loop import sample
from harness.schedules.window import Fixed, Linear
from harness.spec import from_json, to_json
from harness.study import Table
from ssmd.sampler import SelfSpeculative
from ssmd.train.updates import batches
from tests.test_train import Corpus

SMALL = Markov(symbols=3, length=4)


def whole_law(data: MarkovLaw) -> torch.Tensor:
    states = torch.cartesian_prod(*[torch.arange(data.vocab)] * data.length)
    return data.log_prob(states).exp()


def test_its_marginals_are_those_of_the_whole_table():
    table, net = Tabular(whole_law(SMALL), 3, 4), Table(SMALL).load("cpu")
    x = SMALL.rows("test", 64, 0)
    x[torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.6] = 3
    mine, theirs = net.draft(x)[0].softmax(-1), table.draft(x)[0].softmax(-1)
    assert torch.allclose(mine, theirs, atol=1e-12)
    at = torch.tensor([[2, -1], [0, 3]]).repeat(32, 1)
    kept = at >= 0
    assert torch.allclose(net.draft(x, at)[0].softmax(-1)[kept], theirs.gather(
        1, at.clamp_min(0)[..., None].expand(-1, -1, 3))[kept], atol=1e-12)
    y = SMALL.rows("test", 24, 1)
    order = torch.tensor([*permutations(range(4))])
    ranks = torch.tensor([[0, 2, 3]]).expand(24, -1)
    assert torch.allclose(net.verify(x, y, order, ranks).softmax(-1), table.verify(x, y, order, ranks).softmax(-1),
                          atol=1e-12)


def test_far_powers_are_the_limit_and_a_long_row_costs_no_more():
    data = Markov(symbols=5, length=2000)
    net = Chain(data.transition(), data.stationary(), data.length)
    assert len(net.powers) < 200
    x = torch.full((2, 2000), 5)
    x[:, 0] = 1
    law = net.draft(x, torch.tensor([[1, 1500]]).expand(2, -1))[0].softmax(-1)
    assert torch.allclose(law[0, 0], data.transition()[1], atol=1e-12)
    assert torch.allclose(law[0, 1], data.stationary(), atol=1e-12)


@pytest.mark.parametrize("sampler", [FirstHitting(), SelfSpeculative(Linear(0.5), 3), FixedCount(Fixed(1))], ids=str)
@pytest.mark.parametrize("data", [SMALL, ClassChain(Corpus(symbols=3, length=4), symbols=256, classes=2)],
                         ids=lambda data: data.name)
def test_exact_families_draw_from_the_chain(sampler, data):
    law, n = whole_law(data), 8192
    rows = sample(sampler, {"main": Table(data).load("cpu")}, torch.full((n, 4), 3), 0, 1024)
    counts = torch.bincount((rows * 3 ** torch.arange(3, -1, -1)).sum(1), minlength=81)
    assert total_variation(counts, law) < null_quantile(law, n, draws=250)


def test_the_chain_of_a_text_has_its_statistics():
    text = Corpus(symbols=5, length=8)
    data = Bigram(text, mass=1.0, eps=1e-6)
    t, pi = data.transition(), data.stationary()
    assert torch.allclose(t.sum(1), torch.ones(5, dtype=torch.float64)) and torch.allclose(pi @ t, pi)
    told = text.tokens("train").long()
    pairs = torch.bincount(told[:-1] * 5 + told[1:], minlength=25).view(5, 5).double()
    assert torch.allclose(t, pairs / pairs.sum(1, keepdim=True), atol=1e-5)
    cut = Bigram(text, mass=0.5, eps=1e-3).transition()
    assert (cut > 0).all() and ((cut > 0.01).sum(1) < (t > 0.01).sum(1)).any()
    rows = data.rows("test", 4000, 0)
    assert abs(float(-data.log_prob(rows).mean()) - data.entropy_nats()) < 0.1
    assert data.identity() != Bigram(text).identity() and Bigram().vocab == 27


def test_rows_of_the_chain_score_the_floor_and_a_factorised_sampler_lies_above_it():
    data = Markov(symbols=6, length=32)
    net = Table(data).load("cpu")
    own, masks = data.rows("test", 600, 0), torch.full((600, 32), 6)
    one = sample(FixedCount(Linear(0.5)), {"main": net}, masks, 0, 600)
    floor = 36 / (2 * 600 * 31)
    for order in (2, 3):
        metric = TransitionKl(order=order)
        assert 0 < metric.score(own, data).value < 4 * floor * 6 ** (order - 2)
        assert metric.score(one, data).value > 10 * floor
    excess = NllExcess().score(own, data)
    error = np.std(excess.numerator) / 600**0.5 / 32
    assert abs(excess.value) < 4 * error and NllExcess().score(one, data).value > 10 * error


def test_the_interval_of_the_divergence_is_that_of_a_bootstrap():
    data = Markov(symbols=4, length=16)
    rows = sample(FixedCount(Linear(0.5)), {"main": Table(data).load("cpu")}, torch.full((400, 16), 4), 0, 400)
    found = TransitionKl().score(rows, data)
    draws = np.random.default_rng(0).integers(0, 400, (300, 400))
    again = np.array([TransitionKl().score(rows[some], data).value for some in draws])
    assert abs(np.std(found.numerator) / 400**0.5 / again.std() - 1) < 0.15


def small_classes() -> ClassChain:
    return ClassChain(Corpus(symbols=5, length=4), symbols=256, classes=3)


def test_the_network_of_classes_is_that_of_their_whole_table():
    """Drafts, verify passes and rows, beside the chain of the same transitions written out."""
    data = small_classes()
    a, b = data.factors()
    net, table = Table(data).load("cpu"), Chain(a @ b, data.stationary(), 4)
    x = data.rows("test", 64, 0)
    x[torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.6] = 5
    assert torch.allclose(net.draft(x)[0].softmax(-1), table.draft(x)[0].softmax(-1), atol=1e-12)
    y, order = data.rows("test", 24, 1), torch.tensor([*permutations(range(4))])
    ranks = torch.tensor([[0, 2, 3]]).expand(24, -1)
    assert torch.allclose(net.verify(x, y, order, ranks).softmax(-1), table.verify(x, y, order, ranks).softmax(-1),
                          atol=1e-12)
    assert torch.allclose(data.followers(torch.arange(5)), a @ b)
    assert torch.allclose(data.chance(y[:, :-1], y[:, 1:]), (a @ b)[y[:, :-1], y[:, 1:]])
    flat = Table(data, 0.5).load("cpu").draft(x)[0].exp()
    assert flat.isfinite().all() and not torch.allclose(flat, net.draft(x)[0].exp())


def test_classes_fit_the_pairs_of_a_text():
    """As many classes as symbols hold any table; fewer come near, and each round of the fit comes nearer."""
    text = Corpus(symbols=5, length=4)
    told = text.tokens("train").long()
    near = [-float(ClassChain(text, symbols=256, classes=classes, rounds=rounds).chance(told[:-1], told[1:])
                   .log().mean()) for classes, rounds in ((2, 1), (2, 4), (2, 60), (5, 400))]
    best = -float(Bigram(text, mass=1.0).chance(told[:-1], told[1:]).log().mean())
    assert near == sorted(near, reverse=True) and abs(near[-1] - best) < 0.01
    data = small_classes()
    a, b = data.factors()
    assert torch.allclose(data.stationary() @ a @ b, data.stationary()) and torch.allclose((a @ b).sum(1), a.sum(1))
    rows = data.rows("test", 4000, 0)
    assert abs(float(-data.log_prob(rows).mean()) - data.entropy_nats()) < 0.1
    assert from_json("rows", to_json(ClassChain(rounds=3))) == ClassChain(rounds=3)


def test_merges_of_a_tokenizer_are_undone():
    text = Prose(length=16)
    ids = text.tokens("test")[:5000]
    for symbols in (256, 4096, 8192):
        fewer = text.undone(ids, symbols)
        assert fewer.max() < symbols and text.decode(fewer[None]) == text.decode(ids[None])
    assert torch.equal(fewer, ids)
    with pytest.raises(ValueError, match="is outside 256..8192"):
        text.undone(ids, 255)


def test_other_data_are_one_sentence(tmp_path):
    rows = torch.zeros(2, 4).long()
    for call, says in ((lambda: TransitionKl().score(rows, Exact()), "exact is no Markov chain"),
                       (lambda: NllExcess().score(rows, Proteins(length=4)), "law of proteins is not known"),
                       (lambda: TransitionKl(3).score(rows[:, :2], SMALL), "needs rows of so many tokens, not 2"),
                       (lambda: Bigram(Exact()), "exact is no text to fit a chain to"),
                       (lambda: ClassChain(Exact()), "exact is no text to fit a chain to"),
                       (lambda: ClassChain(Corpus(symbols=300, length=4), symbols=256), "no merges to undo"),
                       (lambda: Bigram("x"), "x is no text to fit a chain to"),
                       (lambda: NllExcess().score(rows, Markov(symbols=3, length=9)), "expects rows of 9 tokens"),
                       (lambda: Table(Exact(), 1e4).load("cpu"), "no law in float64"),
                       (lambda: batches(SMALL, "train", 0), "draws no batches to train on"),
                       (lambda: SMALL.log_prob(torch.tensor([[0, 3, 1, 1]])), "is a mask left in them"),
                       (lambda: Table(TextFile(str(tmp_path), str(tmp_path))), "whose law is known")):
        with pytest.raises(ValueError, match=says):
            call()


def test_a_record_of_it_is_read_back():
    assert from_json("rows", to_json(Bigram(mass=0.9))) == Bigram(mass=0.9)


def test_flattened_transitions_have_their_stationary_law():
    for power in (0.5, 0.9, 100):
        net = Table(Markov(symbols=4, length=8), power).load("cpu")
        assert torch.allclose(net.stationary @ net.transition, net.stationary, atol=1e-9)
