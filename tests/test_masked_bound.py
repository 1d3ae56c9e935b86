"""The likelihood of a masked network by Monte Carlo over masks, against laws that are known."""

from itertools import permutations
from math import sqrt

import pytest
import torch

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from harness.data.exact import Exact
from harness.nets.iid import Iid
from harness.nets.own import Own
from harness.nets.tabular import Tabular
from harness.schedules.order import Blocks
from ssmd_bench.masked_bound import bound, greedy, masks, spans
from tests.asking import Digits, Instance, model  # noqa: F401

ORDERS = list(permutations(range(4)))


def test_the_bound_of_independent_tokens_is_the_exact_likelihood():
    law = torch.tensor([0.5, 0.2, 0.2, 0.05, 0.05], dtype=torch.float64)
    answer = [0, 1, 4, 0, 0, 2, 3, 1, 1]
    exact, far = float(law[answer].log().sum()), []
    for seed in range(40):
        found = bound(Iid(law), [0, 1], answer, 32, seed, item=7, batch=5)
        assert found.error > 0 and found.passes == 32
        far.append((found.nats - exact) / found.error)
    assert max(map(abs, far)) < 4 and abs(sum(far)) / sqrt(40) < 4
    assert 0.5 < sqrt(sum(z * z for z in far) / 40) < 1.4, "the error is that which is met"


def test_one_token_is_one_pass_and_exact_and_no_token_is_nothing():
    law = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    assert bound(Iid(law), [0], [2], 128, 0, 0, 8) == (pytest.approx(float(law[2].log())), 0.0, 1)
    assert bound(Iid(law), [0], [], 128, 0, 0, 8) == (0.0, 0.0, 0)
    with pytest.raises(ValueError, match="draws=3 must be an even number"):
        bound(Iid(law), [0], [2, 1], 3, 0, 0, 8)


def test_each_count_of_masks_has_its_share_and_answers_of_one_item_share_masks():
    hidden, count = masks(0, item=3, draws=12, n=6)
    assert sorted(count.tolist()) == sorted([*range(1, 7)] * 2) and torch.equal(hidden.sum(1), count)
    assert torch.equal(masks(0, 3, 12, 6)[0], hidden) and not torch.equal(masks(0, 4, 12, 6)[0], hidden)


class Blunt(Tabular):
    """Its laws are mixed with the uniform one: no chain of them is one joint, and the bound has a gap."""

    def marginals(self, x):
        return (0.8 * super().marginals(x).exp() + 0.2 / self.vocab).log()


def test_the_bound_of_an_exact_world_is_exact_and_that_of_another_is_below_the_log_of_the_mean():
    data = Exact()
    net, blunt = Tabular(data.law(), 3, 4), Blunt(data.law(), 3, 4)
    for number in (0, 17, 44, 80):
        row, exact = data.states()[number].tolist(), float(data.law()[number].log())
        means = [bound(net, [], row, 256, seed, 0, 64) for seed in range(8)]
        mean, error = sum(b.nats for b in means) / 8, sqrt(sum(b.error**2 for b in means)) / 8
        assert abs(mean - exact) < 4 * error, "each order of an exact chain gives the joint"
        marginal = torch.logsumexp(torch.tensor([_along(blunt, row, order) for order in ORDERS]), 0) - torch.tensor(
            24.0).log()
        found = bound(blunt, [], row, 1024, 0, 0, 128)
        assert found.nats < float(marginal) + 4 * found.error
        expected = sum(_along(blunt, row, order) for order in ORDERS) / 24
        assert abs(found.nats - expected) < 4 * found.error and expected <= float(marginal)


def _along(net, row, order) -> float:
    """log p(row) where the places are written in this order."""
    x, total = torch.full((1, 4), 3), 0.0
    for place in order:
        total += float(net.marginals(x)[0, place].log_softmax(-1)[row[place]])
        x[0, place] = row[place]
    return total


def test_a_greedy_answer_is_the_surest_token_first():
    law = torch.tensor([0.1, 0.6, 0.3], dtype=torch.float64)
    assert greedy(Iid(law), [0], [1, 1, 1]) == (True, 3) and greedy(Iid(law), [], [2, 1]) == (False, 1)


@pytest.mark.parametrize(("before", "answer", "most", "block", "parts"), [
    (2, 3, 8, 0, [(2, 3)]), (0, 8, 8, 0, [(0, 8)]), (0, 15, 8, 0, [(0, 8), (4, 4), (5, 3)]),
    (7, 3, 8, 0, [(5, 3)]), (7, 6, 8, 0, [(4, 4), (6, 2)]), (3, 6, 8, 4, [(3, 1), (4, 4), (4, 1)])])
def test_long_texts_are_cut_into_parts_that_fit_a_row(before, answer, most, block, parts):
    row = list(range(before + answer))
    found = list(spans(row[:before], row[before:], most, block))
    assert [(len(context), len(tokens)) for context, tokens in found] == parts
    assert sum((list(tokens) for _, tokens in found), []) == row[before:]
    assert all([*context, *tokens] == row[tokens[-1] - len(context) - len(tokens) + 1 : tokens[-1] + 1]
               for context, tokens in found)


def test_a_rolling_likelihood_is_the_sum_of_its_parts(model):    # noqa: F811
    law = torch.tensor([0.2, 0.2, 0.2, 0.2, 0.1, 0.1], dtype=torch.float64)
    lm = model(Ancestral(2), Iid(law), Digits(), max_length=8, draws=64)
    [found] = lm.loglikelihood_rolling([Instance(("0123" * 5,))])
    assert found == pytest.approx(20 * float(law[0].log())) and lm.lines[0]["is"] == "bound"
    assert lm.loglikelihood_rolling([Instance(("",))]) == [0.0]
    text = "0440" * 3
    [found] = lm.loglikelihood_rolling([Instance((text,))])
    exact = float(law[Digits().encode(text)].log().sum())
    assert abs(found - exact) < 4 * lm.lines[-1]["error"] and lm.lines[-1]["error"] > 0


def test_a_network_of_blocks_is_judged_block_by_block(model):    # noqa: F811
    seen = []

    def flat(ids, mask):
        seen.append(ids.shape[1])
        return torch.zeros(*ids.shape, 7)

    net = Own(flat, vocab=6, flops_per_token=1, identity="flat", form="mask4d", block=4)
    lm = model(FirstHitting(order=Blocks(4)), net, Digits(), draws=4, greedy=False)
    [(nats, _)] = lm.loglikelihood([Instance(("012", "340123"))])
    assert nats == pytest.approx(-6 * torch.tensor(6.0).log().item(), rel=1e-6) and [*dict.fromkeys(seen)] == [4, 8, 9]
