"""The match ceiling on toys: an exact network's own row, an order of the law of one token a pass, and its bounds."""

import pytest
import torch

from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.light_heavy import LightHeavy
from harness.data.exact import Exact
from harness.data.markov import Markov
from harness.data.zipf import Zipf
from harness.kinds import Rows
from harness.nets.chain import Chain
from harness.nets.iid import Known
from harness.nets.tabular import Tabular
from harness.nets.wrap import Alive
from harness.random import Stream, uniform
from harness.sampling.ledger import Ledger, Metered
from harness.sampling.loop import sample
from harness.schedules.order import Dilated, LeftToRight, Uniform
from harness.schedules.window import Open
from harness.study import Table
from ssmd.sampler import SelfSpeculative
from studies.ceilings import exact, two
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


def test_the_ceilings_of_a_chain_of_two_states():
    """Stay .8, three places from left to right: 2.19 and 2.31."""
    stay = torch.tensor([[0.8, 0.2], [0.2, 0.8]], dtype=torch.float64)
    law = 0.5 * stay[:, :, None] * stay[None]
    assert exact.coupling(law) == pytest.approx(1 + 0.7 + 0.49) and exact.joint(law) == pytest.approx(1 + 0.7 + 0.61)


@pytest.mark.parametrize("seed", range(5))
def test_no_test_rank_by_rank_keeps_more_than_any_test_can(seed):
    law = uniform(seed, torch.tensor([0]), Stream.DATA, torch.arange(81))[0].pow(3).view(3, 3, 3, 3)
    law = law / law.sum()
    assert 1 <= exact.coupling(law) <= exact.joint(law) <= 4
    free = torch.einsum("a,b,c,d->abcd", *exact.marginals(law))    # independent places: all is kept
    assert exact.coupling(free) == pytest.approx(4) and exact.joint(free) == pytest.approx(4)


def test_the_sampler_keeps_the_coupling_in_its_first_verify_pass():
    data, n = Exact(), 20_000
    law, order, ledger = data.law().view(3, 3, 3, 3), LeftToRight(), Ledger(n, 4, 3)
    nets = {"main": Metered(Alive(Tabular(data.law(), 3, 4)), "main", ledger)}
    rows = Rows(torch.full((n, 4), 3), torch.zeros(n, 4, dtype=torch.bool), torch.arange(n),
                torch.zeros(n, dtype=torch.int64), 0, {})
    sampler = SelfSpeculative(Open(), 1, order)
    rows = rows._replace(memo=sampler.start(nets, rows))
    ledger.open(torch.arange(n), rows.x)
    after = sampler.step(nets, rows)
    ledger.close(after.x)
    ledger.end(after.x, rows.x, None)
    kept = ledger.kept.double()
    assert abs(kept.mean() - exact.coupling(law)) < 4 * kept.std() / n**0.5
    assert kept.mean() < exact.joint(law)


def test_two_networks_need_the_tests_that_their_laws_say():
    """The sampler that may draft to the end needs as many in the mean; the oracle of equal uniforms at least so many
    disagreements as the test of shares expects rejections.
    """
    heavy, light, n = Table(DATA).load("cpu"), Table(DATA, 0.5).load("cpu"), 512
    empty = torch.full((n, 24), 4)
    y = sample(FirstHitting(), {"main": heavy}, empty, 5, 128)
    match, expected = two.tests(light, heavy, y, Uniform(), 5)
    ledger = Ledger(n, 24, 4)
    sample(LightHeavy(24), {"main": heavy, "light": light}, empty, 5, 128, ledger=ledger)
    found = ledger.tests.double()
    assert abs((found - expected).mean()) < 4 * (found - expected).std() / n**0.5
    assert 1 <= expected.min() and expected.mean() < match.mean() < 24
    alike, certain = two.tests(heavy, heavy, y, Uniform(), 5)
    assert (alike == 1).all() and torch.allclose(certain, torch.ones(n, dtype=torch.float64))
