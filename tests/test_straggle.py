"""What a fixed batch executes, worked out from watched rows, is what the loop does when it is counted."""

import numpy as np
import pytest
import torch

from harness.data.exact import Exact
from harness.nets.tabular import Tabular
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.window import Cosine, Fixed
from ssmd.sampler import SelfSpeculative
from studies.batch.fixed_batch import KINDS, Rounds, executed, needed, resampled_order, watched

DATA = Exact(length=6)
NET, N = Tabular(DATA.law(), DATA.vocab, DATA.length), 40
PROMPTS = torch.full((N, 6), DATA.mask)


class Calls(Ledger):
    """Counts the calls of the network, whoever is alive."""

    made = (0, 0)

    def post(self, call):
        super().post(call)
        self.made = tuple(c + (k == call.kind) for c, k in zip(self.made, KINDS))


@pytest.mark.parametrize("sampler", [SelfSpeculative(Fixed(3), 1), SelfSpeculative(Cosine(0.5), 4)], ids=str)
@pytest.mark.parametrize(("batch", "queue"), [(1, True), (3, True), (3, False), (16, True), (16, False), (64, True),
                                              (64, False)])
def test_executed_passes_are_those_of_the_loop(sampler, batch, queue):
    rounds, x = watched(sampler, {"main": NET}, PROMPTS, 7, 8)
    ledger = Calls(N, 6, DATA.mask)
    assert torch.equal(sample(sampler, {"main": NET}, PROMPTS, 7, batch, ledger=ledger, queue=queue), x)
    assert executed(rounds, np.arange(N)[None], batch, queue).tolist() == [list(ledger.made)]
    assert needed(rounds, np.arange(N)[None]).tolist() == [[int(ledger.calls[f"main.{kind}"].sum()) for kind in KINDS]]


def test_a_batch_of_one_executes_what_is_needed_and_a_larger_one_more():
    rounds, _ = watched(SelfSpeculative(Fixed(3), 1), {"main": NET}, PROMPTS, 7, 8)
    order = resampled_order(N, 5, 200)
    assert order.shape == (6, 200) and order[0].tolist() == list(range(N)) * 5
    want = needed(rounds, order)
    for queue in (True, False):
        ratios = [(executed(rounds, order, batch, queue) * batch / want)[:, 0] for batch in (1, 4, 20)]
        assert (ratios[0] == 1).all() and (ratios[1] > 1).all() and (ratios[2] > ratios[1]).all()
    for batch in (4, 20):
        assert (executed(rounds, order, batch, True) <= executed(rounds, order, batch, False)).all()


def test_by_hand():
    """Rows of 1, 3 and 1 rounds, a draft and a verify pass each, in two places."""
    rounds = Rounds(np.array([[[1, 1], [0, 0], [0, 0]], [[1, 2], [1, 1], [1, 1]], [[1, 4], [0, 0], [0, 0]]]),
                    np.array([1, 3, 1]))
    order = np.array([[0, 1, 2]])
    assert executed(rounds, order, 2, False).tolist() == [[4, 8]]    # (0, 1): 3 and 2 + 1 + 1; then (2): 1 and 4
    # 2 takes the place of 0 in the second round: 2, then max(1, 4), then 1
    assert executed(rounds, order, 2, True).tolist() == [[3, 7]]
    assert needed(rounds, order).tolist() == [[5, 9]]
