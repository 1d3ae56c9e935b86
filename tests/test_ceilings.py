"""The match ceiling on toys: an exact network's own row, an order of the law of one token a pass, and its bounds."""

import pytest
import torch

from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from harness.data.markov import Markov
from harness.data.zipf import Zipf
from harness.nets.chain import Chain
from harness.nets.iid import Known
from harness.sampling.loop import sample
from harness.schedules.order import Dilated, LeftToRight, Uniform
from harness.study import Table
from studies.ceilings.match import passes

DATA = Markov(symbols=4, length=24)


@pytest.mark.parametrize("law", [Uniform(), Dilated(), LeftToRight()], ids=str)
@pytest.mark.parametrize("kind", [FirstHitting, AnyOrder])
def test_an_oracle_needs_fewer_passes_than_tokens_and_at_least_one(kind, law):
    net: Chain = Table(DATA).load("cpu")
    y = sample(kind(order=law), {"main": net}, torch.full((64, 24), 4), 3, 64)
    taken = passes(net, y, law, 3, batch=16)
    assert (taken >= 1).all() and (taken <= 24).all() and 1 < 24 / taken.double().mean() < 24
    assert torch.equal(taken, passes(net, y, law, 3))
    assert passes(net, y.flip(0), law, 3).sum() > taken.sum(), "rows of other numbers were drawn with other uniforms"


def test_of_independent_tokens_one_pass_is_enough():
    data = Zipf(symbols=5, length=16)
    net = Known(data).load("cpu")
    y = sample(FirstHitting(), {"main": net}, torch.full((32, 16), 5), 0, 32)
    assert (passes(net, y, Uniform(), 0) == 1).all()
