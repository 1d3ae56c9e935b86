"""Self-speculation without its test and with a bonus: the laws that they must have, and the ones that they must not."""

import pytest
import torch

from harness.metrics.law import null_quantile, total_variation
from harness.nets.tabular import Tabular
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.order import LeftToRight
from harness.schedules.window import Fixed, Open
from ssmd import sampler
from ssmd.bonus import SelfSpeculativeBonus
from ssmd.sampler import SelfSpeculative
from ssmd.unverified import HEADS, Unverified
from tests.conformance.toys import DATA, MASK, D, distance, hybrid, ssmd_law, table_nets

MANY = 8192


@pytest.mark.parametrize("window", [Open(), Fixed(2), Fixed(3)], ids=str)
def test_drawn_one_by_one_from_the_target_the_law_is_that_of_the_sampler(window):
    law = ssmd_law(hybrid(), window, D)
    far, chance = distance(Unverified(window), {"main": hybrid()}, law, MANY)
    assert far < chance
    for head in HEADS[1:]:
        assert distance(Unverified(window, head), {"main": hybrid()}, law, MANY)[0] > 2 * chance
    assert 0.5 * (ssmd_law(hybrid(), window, 1) - law).abs().sum() > 2 * chance    # so are fewer rounds


def test_what_each_form_misses_of_a_chain():
    """Two states, each kept with .8; three places from left to right in one step: 0, .39 and .30; redrawing the first
    place too is no better than drafts.
    """
    stay = torch.tensor([[0.8, 0.2], [0.2, 0.8]], dtype=torch.float64)
    states = torch.cartesian_prod(*[torch.arange(2)] * 3)
    law = 0.5 * stay[states[:, 0], states[:, 1]] * stay[states[:, 1], states[:, 2]]
    net = Tabular(law, 2, 3)
    far = []
    for head in HEADS:
        x = sample(Unverified(Open(), head, LeftToRight()), {"main": net}, torch.full((MANY, 3), 2), 0, 4096)
        far.append(total_variation(torch.bincount(x @ torch.tensor([4, 2, 1]), minlength=8), law))
    assert far[0] < null_quantile(law, MANY) and far[1:] == pytest.approx([0.39, 0.30], abs=0.01)


def test_passes_of_each_form():
    for head, verifies in zip(HEADS, (D, 0, 1)):
        ledger = Ledger(50, D, MASK)
        sample(Unverified(Open(), head), {"main": hybrid()}, torch.full((50, D), MASK), 0, 20, ledger=ledger)
        assert ledger.drafts.tolist() == [1] * 50
        assert ledger.calls.get("main.verify", torch.zeros(50)).tolist() == [verifies] * 50


def passes(kind, nets, n=2000) -> float:
    ledger = Ledger(n, D, MASK)
    sample(kind, nets, torch.full((n, D), MASK), 0, 500, ledger=ledger)
    return float(ledger.drafts.double().mean())


@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("wide", [1, 2, 3])
def test_a_bonus_keeps_the_law_of_an_ideal_network_and_saves_drafts(wide, rounds):
    nets = {"main": table_nets()["main"]}
    far, chance = distance(SelfSpeculativeBonus(Fixed(wide), rounds), nets, DATA.law(), MANY)
    assert far < chance
    without, with_it = (passes(kind(Fixed(wide), rounds), nets) for kind in (SelfSpeculative, SelfSpeculativeBonus))
    assert with_it < without if wide != 2 else with_it == without == 2    # of four places


def test_a_bonus_has_no_law_of_a_window_where_the_network_is_not_ideal():
    nets = {"main": hybrid()}
    for window in (Fixed(2), Fixed(3)):
        far, chance = distance(SelfSpeculativeBonus(Fixed(2), D), nets, ssmd_law(hybrid(), window, D), MANY)
        assert far > 2 * chance


def test_a_bonus_that_is_no_draw_of_the_target_is_seen(monkeypatch):
    nets = {"main": table_nets()["main"]}
    monkeypatch.setattr(sampler, "_with_bonus", lambda rows, y, order, e, column, whole, logits: y.index_put(
        (whole.nonzero()[:, 0], order[whole, e[whole]]), torch.zeros(int(whole.sum()), dtype=torch.int64)))
    far, chance = distance(SelfSpeculativeBonus(Fixed(1), 1), nets, DATA.law(), MANY)
    assert far > 2 * chance
