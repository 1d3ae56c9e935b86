"""Combinations of ours: which keep the law, and what they cost."""

import pytest
import torch

from harness.certainty import Confidence, Entropy, Margin, Random
from harness.kinds import Rows
from harness.ledger import Ledger
from harness.loop import sample
from harness.placement import Prefix, Sandwich
from harness.window import Cosine, Fixed, Linear, Open
from ssmd.adaptive import UNLIMITED, Adaptive
from ssmd.corrected import Corrected
from ssmd.relay import Relayed
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import DATA, MASK, D, distance, drawn, hybrid, ssmd_law, table_nets

ADAPTIVE = [*(Adaptive(w, r, by, b) for w, r, b in ((Open(), 1, 0.5), (Open(), 4, UNLIMITED), (Fixed(2), 2, 1.0)) for by in (Entropy(), Confidence(), Margin(), Random()))]


@pytest.mark.parametrize("sampler", ADAPTIVE, ids=str)
def test_an_order_and_a_window_read_from_the_draft_keep_the_law(sampler):
    tv, quantile = distance(sampler, table_nets(), DATA.law())
    assert tv < quantile


@pytest.mark.parametrize("window, rounds", [(Open(), 2), (Cosine(0.4), 1), (Linear(0.5), 3)])
def test_without_a_budget_and_in_the_drawn_order_it_is_the_plain_sampler(window, rounds):
    nets = {"main": hybrid(0)}
    assert torch.equal(drawn(Adaptive(window, rounds, Random(), UNLIMITED), nets, 512), drawn(SelfSpeculative(window, rounds), nets, 512))


def test_the_budget_is_spent_where_drafts_are_sure():
    def rounds(budget: float) -> float:
        ledger = Ledger(512, D, MASK)
        sample(Adaptive(Open(), 4, Entropy(), budget), table_nets(), torch.full((512, D), MASK), 0, 128, ledger=ledger)
        return float(ledger.drafts.double().mean())

    assert rounds(0.0) == D, "one token a pass"
    assert rounds(0.0) > rounds(1.0) > rounds(2.0) > rounds(UNLIMITED) == 1


CORRECTED = [Corrected(host, share, sweeps, scan) for scan in ("oldest", "random") for host, share, sweeps in (
    (SelfSpeculative(Open(), 2), 0.5, 1), (SelfSpeculative(Fixed(2), 1), 0.25, 5), (Adaptive(Open(), 2, Entropy(), 1.0), 0.75, 3))]


@pytest.mark.parametrize("sampler", CORRECTED, ids=str)
def test_corrector_sweeps_leave_the_law_as_it_is(sampler):
    tv, quantile = distance(sampler, table_nets(), DATA.law())
    assert tv < quantile


def test_sweeps_of_the_oldest_go_once_through_the_text_and_spare_what_is_given():
    rows = Rows(torch.zeros(1, D), torch.tensor([[False, True, False, False]]), torch.zeros(1), torch.zeros(1), 0, {"drawn": torch.tensor([[2, 0, 3, 1]])})
    seen = [Corrected(share=0.34).chosen(rows._replace(memo=rows.memo | {"sweep": torch.tensor([k])}), torch.zeros(1, D))[0].tolist() for k in range(4)]
    assert seen == [[False, False, False, True], [True, False, False, False], [False, False, True, False], [False, False, False, True]]


def test_corrector_sweeps_change_the_text_and_cost_their_passes():
    plain, mended = SelfSpeculative(Open(), 2), CORRECTED[0]
    assert not torch.equal(drawn(plain, table_nets(), 256), drawn(mended, table_nets(), 256))
    x, ledgers = [], []
    for sweeps in (1, 4):
        ledgers.append(Ledger(256, D, MASK))
        x.append(sample(Corrected(SelfSpeculative(Open(), 4), 0.25, sweeps), table_nets(), torch.full((256, D), MASK), 0, 64, ledger=ledgers[-1]))
    drafts = [ledger.drafts.double().mean() for ledger in ledgers]
    assert drafts[1] - drafts[0] == 3, "one place of four a sweep: one pass"
    assert all(bool((ledger.tokens == D).all()) for ledger in ledgers), "a token taken back is no token"


def test_a_corrector_changes_the_law_of_a_network_that_has_no_joint():
    plain, mended = SelfSpeculative(Fixed(1), 1), Corrected(SelfSpeculative(Fixed(1), 1), 0.25, 8)
    tv, quantile = distance(mended, {"main": hybrid(0)}, ssmd_law(hybrid(0), plain.window, 1))
    assert tv > quantile
    tv, quantile = distance(plain, {"main": hybrid(0)}, ssmd_law(hybrid(0), plain.window, 1))
    assert tv < quantile, "which the test would see"


@pytest.mark.parametrize("placement", [Prefix(0.5), Sandwich(0.5)], ids=str)
def test_a_relay_of_one_network_twice_is_the_plain_sampler_and_of_two_is_charged_as_both(placement):
    host, one = SelfSpeculative(Fixed(2), 2), {"main": hybrid(0), "light": hybrid(0)}
    assert torch.equal(drawn(Relayed(host, placement), one, 512), drawn(host, one, 512))
    ledger = Ledger(128, D, MASK)
    sample(Relayed(host, placement), {"main": hybrid(0), "light": hybrid(1)}, torch.full((128, D), MASK), 0, 64, ledger=ledger)
    assert {name: int(calls.sum()) for name, calls in ledger.calls.items() if "draft" in name} == {"light.draft": 128, "main.draft": 128}


def test_a_relay_misses_the_law_of_either_network():
    for sampler in (Relayed(SelfSpeculative(Fixed(1), 1), Prefix(0.5)), Relayed(SelfSpeculative(Open(), 4), Sandwich(0.5))):
        tv, quantile = distance(sampler, table_nets(), DATA.law(), n=32768)
        assert tv > quantile
