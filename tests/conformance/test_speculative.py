"""Speculation by other names: light drafts under a heavy network keep its law, sigma-GPT's rejection misses it,
any-subset decoding is a fixed window of ours.
"""

import pytest
import torch

from baselines.first_hitting import FirstHitting
from baselines.light_heavy import LightHeavy
from baselines.sigma_gpt import SigmaGpt
from harness.checks.conformance import variants, verify
from harness.metrics.law import null_quantile, total_variation
from harness.nets.tabular import Tabular
from harness.nets.wrap import Wrapper
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.sampling.reveal import order_of, probabilities
from harness.schedules.order import Blocks, LeftToRight, Uniform
from harness.schedules.window import Fixed, Open
from ssmd.sampler import SelfSpeculative
from tests.conformance.test_invariance import nets as rough_nets
from tests.conformance.test_invariance import prompts as rough_prompts
from tests.conformance.toys import (
    DATA,
    MASK,
    STATES,
    D,
    N,
    V,
    distance,
    drawn,
    hybrid,
    ordered_law,
    subset_table,
    table_nets,
)

OURS = [LightHeavy(1), LightHeavy(6, Blocks(8)), SigmaGpt(1), SigmaGpt(3)]


def metered(sampler, nets: dict, n: int = 300, batch: int = 64) -> Ledger:
    ledger = Ledger(n, D, MASK)
    sample(sampler, nets, torch.full((n, D), MASK), 0, batch, ledger=ledger)
    return ledger


class Watched(Wrapper):
    """Remembers every call: its rows and its answer."""

    def __init__(self, net):
        super().__init__(net)
        self.drafts, self.verifies = [], []

    def draft(self, x, at=None, alive=None, clock=None):
        logits, hidden = super().draft(x, at, alive, clock)
        self.drafts.append((x, at, logits, clock))
        return logits, hidden

    def verify(self, hidden, y, order, at, alive=None):
        logits = super().verify(hidden, y, order, at, alive)
        self.verifies.append((y, order, at, logits))
        return logits


@pytest.mark.parametrize("order", [Uniform(), Blocks(2), LeftToRight()], ids=str)
def test_light_drafts_leave_the_exact_joint_as_it_is(order):
    tv, quantile = distance(LightHeavy(3, order), table_nets(), DATA.law())
    assert tv < quantile


def test_light_drafts_leave_the_law_of_a_rough_network_as_it_is():
    """Neither network has a joint, and the law of the pair is that of the heavy one alone."""
    tables = [subset_table(hybrid(seed)) for seed in (0, 1)]
    heavy, light = (ordered_law(lambda i, table=table: table, [1] * D) for table in tables)
    tv, quantile = distance(LightHeavy(D), {"main": hybrid(0), "light": hybrid(1)}, heavy)
    assert tv < quantile and 0.5 * (heavy - light).abs().sum() > 3 * quantile


@pytest.mark.parametrize("nets", [table_nets(), {"main": hybrid(0), "light": hybrid(1)}], ids=["exact", "rough"])
def test_the_number_of_drafts_changes_not_one_token(nets):
    one = drawn(LightHeavy(1), nets, 1024)
    assert all(torch.equal(drawn(LightHeavy(k), nets, 1024), one) for k in (2, 3, 64))


def test_one_network_twice_is_first_hitting_bit_for_bit():
    nets = table_nets() | {"light": table_nets()["main"]}
    for order in (Uniform(), LeftToRight()):
        assert torch.equal(drawn(LightHeavy(3, order), nets, 1024), drawn(FirstHitting(1, order), nets, 1024))


@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_a_round_costs_as_many_passes_of_each_network_as_drafts_and_one_heavy_call(k):
    spent, nets, n = torch.zeros(300, dtype=torch.int64), {name: Watched(net) for name,
                                                           net in table_nets().items()}, 300

    class Counted(LightHeavy):
        def step(self, nets, rows):
            spent[rows.id] += (rows.x == MASK).sum(1).clamp_max(k)
            return super().step(nets, rows)

    ledger = metered(Counted(k), nets, n, batch=n)
    assert torch.equal(ledger.calls["light.draft"], spent) and torch.equal(ledger.calls["main.draft"], spent)
    rounds = len(nets["main"].drafts)
    assert len(nets["light"].drafts) <= k * rounds and rounds <= D
    if k == 1:
        assert spent.tolist() == [D] * n
    if k == 9:
        assert len(nets["main"].drafts[0][0]) == n * D, "the prefixes of a round side by side"


def test_a_network_that_drafts_like_the_heavy_one_costs_a_pass_of_each_a_token():
    nets = table_nets() | {"light": table_nets()["main"]}
    ledger = metered(LightHeavy(2), nets)
    assert ledger.calls["light.draft"].tolist() == ledger.calls["main.draft"].tolist() == [D] * 300
    assert int(ledger.revealed[0, 2]) == 300 and int(ledger.revealed[5, 2]) == 300, "two tokens a round"


def test_a_rejected_token_is_replaced_in_its_round():
    """The heavy network always writes 0, the light one 1 where an odd number of tokens is revealed: two tokens a round,
    the second by the residual draw.
    """

    class Certain(Wrapper):
        def draft(self, x, at=None, alive=None, clock=None):
            token = (x != MASK).sum(1) % 2 if self.net is light else torch.zeros_like(x[:, 0])
            return torch.where(torch.arange(V) == token[:, None], 0.0,
                               float("-inf"))[:, None].expand(-1, at.shape[1], -1), x

    light = table_nets()["light"]
    ledger = metered(LightHeavy(D), {"main": Certain(table_nets()["main"]), "light": Certain(light)}, 8)
    assert ledger.calls["main.draft"].tolist() == ledger.calls["light.draft"].tolist() == [D + D - 2] * 8
    assert bool((drawn(LightHeavy(D), {"main": Certain(table_nets()["main"]), "light": Certain(light)}, 8) == 0).all())


def test_both_networks_are_told_the_share_revealed_before_each_token():
    nets = {name: Watched(net) for name, net in table_nets().items()}
    drawn(LightHeavy(3), nets, 64, batch=64)
    for net in nets.values():
        for x, at, _, clock in net.drafts:
            assert torch.equal(clock[at[:, 0] >= 0], ((x != MASK).sum(1) / D).double()[at[:, 0] >= 0])


TWO_BITS = Tabular(torch.tensor([0.45, 0.05, 0.05, 0.45], dtype=torch.float64), 2, 2)


def rejected_law(orders: int) -> torch.Tensor:
    """The law of sigma-GPT on the two bits: unequal drafts are kept where an order begins with the other bit and its
    uniform is below 0.1 / 0.5.
    """
    one, two = 0.2, 1 - 0.8**2
    kept = one + (two - one) * (1 - 2 * 0.5**orders)
    equal = 0.5 + 0.5 * (1 - kept) * 0.9
    return torch.tensor([equal, 1 - equal, 1 - equal, equal], dtype=torch.float64) / 2


@pytest.mark.parametrize("orders, miss", [(1, 0.040), (2, 0.076), (5, 0.107)])
def test_rejection_without_a_residual_draw_misses_two_correlated_bits_and_more_orders_miss_more(orders, miss):
    n = 32_768
    x = sample(SigmaGpt(orders), {"main": TWO_BITS}, torch.full((n, 2), 2), 0, 8192)
    counts = torch.bincount(x[:, 0] * 2 + x[:, 1], minlength=4)
    quantile = null_quantile(TWO_BITS.law, n, draws=200)
    assert total_variation(rejected_law(orders), TWO_BITS.law) == pytest.approx(miss, abs=6e-4)
    assert (
        total_variation(counts, rejected_law(orders)) < quantile
        and total_variation(counts, TWO_BITS.law) > 3 * quantile
    )
    drawn_instead = sample(SelfSpeculative(Open(), 1), {"main": TWO_BITS}, torch.full((n, 2), 2), 0, 8192)
    assert total_variation(torch.bincount(drawn_instead[:, 0] * 2 + drawn_instead[:, 1], minlength=4),
                           TWO_BITS.law) < quantile


def test_the_law_test_rejects_sigma_gpt():
    (one, quantile), (five, _) = (distance(SigmaGpt(orders), table_nets(), DATA.law(), n=2 * N) for orders in (1, 5))
    assert one > 2 * quantile and five > one + quantile


@pytest.mark.parametrize("orders", [1, 3])
def test_sigma_gpt_costs_a_draft_and_a_verify_pass_for_each_order(orders):
    ledger = metered(SigmaGpt(orders), table_nets())
    assert torch.equal(ledger.calls["main.verify"],
                       orders * ledger.calls["main.draft"]) and int(ledger.calls["main.draft"].max()) <= D
    assert int(ledger.tokens.sum()) == 300 * D


def test_sigma_gpt_tries_orders_on_one_candidate_and_goes_on_in_the_one_it_took():
    net, n = Watched(rough_nets()["main"]), 16
    sample(SigmaGpt(2), {"main": net}, torch.full((n, 40), net.mask), 0, n)
    # while no row has left
    rounds, taken = [pair for pair in zip(net.verifies[0::2], net.verifies[1::2]) if len(pair[0][0]) == n], 0
    for ((y, one, _, _), (other_y, two, _, _)), ((_, later, at, _), _) in zip(rounds, rounds[1:]):
        assert torch.equal(y, other_y) and bool((one != two).any())
        # (B, L) not revealed yet
        behind = torch.arange(later.shape[1]) >= torch.where(at < 0, later.shape[1], at).amin(1, keepdim=True)
        goes_on = [((later == order) | behind).all(1) for order in (one, two)]
        assert bool((goes_on[0] | goes_on[1]).all())
        taken += int((goes_on[1] & ~goes_on[0]).sum())
    assert len(rounds) > 3 and taken > 10


@pytest.mark.parametrize("sampler", [LightHeavy(2), SigmaGpt(2)], ids=str)
def test_given_tokens_are_kept_and_only_the_exact_sampler_follows_the_conditional_law(sampler):
    prompts = torch.tensor([2, MASK, 0, MASK]).expand(4 * N, D)
    x = drawn(sampler, table_nets(), prompts=prompts)
    assert bool((x[:, 0] == 2).all() and (x[:, 2] == 0).all() and (x != MASK).all())
    fits = (STATES[:, 0] == 2) & (STATES[:, 2] == 0)
    law = torch.where(fits, DATA.law(), 0.0) / DATA.law()[fits].sum()
    tv = total_variation(torch.bincount(DATA.index(x), minlength=81), law)
    assert (tv < 0.015) == (sampler.exact() is not None)  # 9 outcomes: the 99.99 % quantile is about 0.011


@pytest.mark.parametrize("sampler", OURS, ids=str)
def test_rows_are_the_same_in_batches_of_1_7_and_64(sampler):
    runs = [sample(sampler, rough_nets(), rough_prompts(n), 3, batch) for batch, n in ((1, 5), (7, 21), (64, 64))]
    assert all(torch.equal(x, runs[2][: len(x)]) for x in runs)


@pytest.mark.parametrize("sampler", [v for s in (LightHeavy(), SigmaGpt()) for v in variants(s)], ids=str)
def test_they_conform(sampler):
    assert verify(sampler, n=4096).passed


# Any-subset speculative decoding (arXiv 2504.20456): k drafts of one network given what is revealed, one joint pass
# along sigma, accept, residual draw.
# That is SelfSpeculative(Fixed(k), rounds=1); what its authors state holds there where draft and target come from one
# joint.


@pytest.mark.parametrize("k", [2, 3, D])
def test_a_fixed_window_verified_once_is_any_subset_decoding_where_both_passes_have_one_joint(k):
    sampler, net = SelfSpeculative(Fixed(k), 1), Watched(table_nets()["main"])
    tv, quantile = distance(sampler, table_nets(), DATA.law())
    assert tv < quantile
    ledger = metered(sampler, {"main": net})
    assert torch.equal(ledger.calls["main.draft"], ledger.calls["main.verify"]), "two passes a round"
    assert int((ledger.calls["main.draft"] + ledger.calls["main.verify"]).max()) <= D + D % 2, ("two tokens a round "
                                                                                                "at least, but for a "
                                                                                                "single last one")
    for (_, _, p, _), (_, _, _, q) in zip(net.drafts, net.verifies):
        assert float((probabilities(p)[:, 0] - probabilities(q)[:, 0]).abs().max()) < 1e-5
    assert int(ledger.passed["depth"][0]) == int(ledger.tested["depth"][0]) == int(ledger.calls["main.verify"].sum()), (
        "the first token is always accepted"
    )


def test_a_network_without_a_joint_accepts_the_first_token_with_probability_one_minus_total_variation():
    sampler, net, n = SelfSpeculative(Fixed(2), 1), Watched(hybrid(0)), 8192
    ledger = Ledger(n, D, MASK)
    sample(sampler, {"main": net}, torch.full((n, D), MASK), 0, n, ledger=ledger)
    share = torch.cat([torch.minimum(probabilities(p)[:, 0], probabilities(q)[:, 0]).sum(1) for (_, _, p, _),
                       (_, _, _, q) in zip(net.drafts, net.verifies)])
    tested, passed = (int(table["depth"][0]) for table in (ledger.tested, ledger.passed))
    assert tested == len(share) and share.mean() < 0.9
    assert abs(passed - share.sum()) < 4 * (share * (1 - share)).sum().sqrt()


def test_speculation_of_both_kinds_takes_positions_in_the_order_that_all_samplers_share():
    nets = {name: Watched(net) for name, net in table_nets().items()}
    seen = []

    class Ordered(LightHeavy):
        def start(self, nets, rows):
            seen.append(order_of(rows, self.order))
            return super().start(nets, rows)

    drawn(Ordered(2), nets, 64, batch=64)
    assert torch.equal(nets["light"].drafts[0][1][:, 0], seen[0][:, 0])
