"""Combinations of ours: which keep the law, and what they cost."""

import pytest
import torch

from harness.kinds import Rows
from harness.nets.tabular import Tabular
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.certainty import Confidence, Entropy, Margin, Random
from harness.schedules.placement import Prefix, Sandwich
from harness.schedules.window import Cosine, Fixed, Linear, Open
from ssmd.adaptive import UNLIMITED, Adaptive
from ssmd.corrected import Corrected
from ssmd.likelihood import recursion, tables
from ssmd.relay import Relay, Relayed
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import DATA, MASK, ORDERS, STATES, D, distance, drawn, hybrid, ssmd_law, table_nets

ADAPTIVE = [*(Adaptive(w, r, by, b) for w, r, b in ((Open(), 1, 0.5), (Open(), 4, UNLIMITED), (Fixed(2), 2, 1.0))
              for by in (Entropy(), Confidence(), Margin(), Random()))]


@pytest.mark.parametrize("sampler", ADAPTIVE, ids=str)
def test_an_order_and_a_window_read_from_the_draft_keep_the_law(sampler):
    tv, quantile = distance(sampler, table_nets(), DATA.law())
    assert tv < quantile


@pytest.mark.parametrize("window, rounds", [(Open(), 2), (Cosine(0.4), 1), (Linear(0.5), 3)])
def test_without_a_budget_and_in_the_drawn_order_it_is_the_plain_sampler(window, rounds):
    nets = {"main": hybrid(0)}
    assert torch.equal(drawn(Adaptive(window, rounds, Random(), UNLIMITED), nets, 512),
                       drawn(SelfSpeculative(window, rounds), nets, 512))


@pytest.mark.parametrize("by", [Entropy(), Confidence(), Margin()], ids=str)
def test_the_surest_places_come_first_and_the_window_ends_with_the_budget(by):
    """One round on rough logits; certainties, order and sums of entropies worked out anew."""
    net, n = hybrid(0), 64
    # each token at each place
    x = torch.full((n, D), MASK).scatter(1, torch.arange(n)[:, None] % D, torch.arange(n)[:, None] // D % 3)
    p = net.draft(x)[0].double().softmax(-1)                                       # (n, D, V)
    first, second = p.sort(-1, descending=True).values[..., :2].unbind(-1)
    nats = torch.special.entr(p).sum(-1)
    sure = {"entropy": -nats, "confidence": first, "margin": first - second}[by.name].masked_fill(x != MASK, torch.inf)
    surest = sure.argsort(1, descending=True)[:, 1:]  # (n, D-1) behind the token that is there
    spent = nats.gather(1, surest)
    spent[:, 0] = 0
    budget = float(spent.sum(1).median())
    sampler = Adaptive(Open(), 4, by, budget)
    rows = Rows(x, x != MASK, torch.arange(n), torch.zeros(n, dtype=torch.int64), 0, {})
    after = sampler.step({"main": net}, rows._replace(memo=sampler.start({"main": net}, rows)))
    order = after.memo["order"][:, 1:]
    assert bool((sure.gather(1, order) - sure.gather(1, surest)).abs().le(2**-15).all()), ("in order, up to what "
                                                                                           "counts as equal")
    most, wrote = 1 + (spent.cumsum(1) <= budget).sum(1), (after.x != MASK).sum(1)
    clear = (sure.gather(1, surest).diff(dim=1) < -(2**-14)).all(1)                # no ties, so that the order is one
    assert bool((wrote <= most)[clear].all()) and bool((wrote == most)[clear].any()) and clear.double().mean() > 0.5
    assert int(most[clear].min()) < int(most[clear].max()) == D


def test_the_budget_is_spent_where_drafts_are_sure():
    def rounds(budget: float) -> float:
        ledger = Ledger(512, D, MASK)
        sample(Adaptive(Open(), 4, Entropy(), budget), table_nets(), torch.full((512, D), MASK), 0, 128, ledger=ledger)
        return float(ledger.drafts.double().mean())

    assert rounds(0.0) == D, "one token a pass"
    assert rounds(0.0) > rounds(1.0) > rounds(2.0) > rounds(UNLIMITED) == 1


CORRECTED = [Corrected(host, share, sweeps, scan) for scan in ("oldest", "random") for host, share, sweeps in (
    (SelfSpeculative(Open(), 2), 0.5, 1), (SelfSpeculative(Fixed(2), 1), 0.25, 5),
    (Adaptive(Open(), 2, Entropy(), 1.0), 0.75, 3))]


@pytest.mark.parametrize("sampler", CORRECTED, ids=str)
def test_corrector_sweeps_leave_the_law_as_it_is(sampler):
    tv, quantile = distance(sampler, table_nets(), DATA.law())
    assert tv < quantile


def test_sweeps_of_the_oldest_go_once_through_the_text_and_spare_what_is_given():
    rows = Rows(torch.zeros(1, D), torch.tensor([[False, True, False, False]]), torch.zeros(1), torch.zeros(1), 0,
                {"drawn": torch.tensor([[2, 0, 3, 1]])})
    seen = [Corrected(share=0.34).chosen(rows._replace(memo=rows.memo | {"sweep": torch.tensor([k])}),
                                         torch.zeros(1, D))[0].tolist() for k in range(4)]
    assert seen == [[False, False, False, True], [True, False, False, False], [False, False, True, False],
                    [False, False, False, True]]


def test_corrector_sweeps_change_the_text_and_cost_their_passes():
    plain, mended = SelfSpeculative(Open(), 2), CORRECTED[0]
    assert not torch.equal(drawn(plain, table_nets(), 256), drawn(mended, table_nets(), 256))
    x, ledgers = [], []
    for sweeps in (1, 4):
        ledgers.append(Ledger(256, D, MASK))
        x.append(sample(Corrected(SelfSpeculative(Open(), 4), 0.25, sweeps), table_nets(), torch.full((256, D), MASK),
                        0, 64, ledger=ledgers[-1]))
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
    sample(Relayed(host, placement), {"main": hybrid(0), "light": hybrid(1)}, torch.full((128, D), MASK), 0, 64,
           ledger=ledger)
    assert {name: int(calls.sum()) for name, calls in ledger.calls.items()
            if "draft" in name} == {"light.draft": 128, "main.draft": 128}


def test_a_relay_gives_the_light_network_the_part_that_its_placement_names():
    """One token a pass, a quarter of the text light."""
    ledger = Ledger(128, D, MASK)
    sample(Relayed(SelfSpeculative(Fixed(1), 1), Prefix(0.25)), {"main": hybrid(0), "light": hybrid(1)},
           torch.full((128, D), MASK), 0, 64, ledger=ledger)
    assert {name: calls.unique().tolist() for name,
            calls in ledger.calls.items()} == {"light.draft": [1], "light.verify": [1], "main.draft": [3],
                                               "main.verify": [3]}
    x, order = STATES.repeat_interleave(len(ORDERS), 0), ORDERS.repeat(len(STATES), 1)
    heavy, light = (tables(hybrid(seed), x, order, batch=4096) for seed in (0, 1))
    mixed = [torch.cat((a[:, :1], b[:, 1:]), 1) for a, b in zip(light, heavy)]  # the first token is the light network's
    for laws, same in ((mixed, True), (heavy, False)):
        law = recursion(*laws, Fixed(1), 1).exp().view(len(STATES), len(ORDERS)).mean(1)
        tv, quantile = distance(Relayed(SelfSpeculative(Fixed(1), 1), Prefix(0.25)),
                                {"main": hybrid(0), "light": hybrid(1)}, law)
        assert (tv < quantile) == same


def test_networks_of_unlike_alphabets_are_refused():
    with pytest.raises(ValueError, match="train both on the same alphabet"):
        Relay(hybrid(0), Tabular(torch.ones(16), 2, 4), Prefix(0.5))


def test_a_relay_misses_the_law_of_either_network():
    for sampler in (Relayed(SelfSpeculative(Fixed(1), 1), Prefix(0.5)),
                    Relayed(SelfSpeculative(Open(), 4), Sandwich(0.5))):
        tv, quantile = distance(sampler, table_nets(), DATA.law(), n=32768)
        assert tv > quantile
