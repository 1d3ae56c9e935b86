"""The law of an inexact network: a hybrid with random weights, all 81 sequences listed. This pins the algorithm, not
only its limit.
"""

import pytest
import torch

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.nets.wrap import Temper
from harness.schedules.noise import Cosine as CosineSchedule
from harness.schedules.order import Blocks, LeftToRight
from harness.schedules.placement import Middle, Prefix
from harness.schedules.window import Cosine, Fixed, Open
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import ORDERS, D, distance, hybrid, ordered_law, ssmd_law, stepped_law, subset_table

WINDOWS = [Open(), Cosine(0.3), Fixed(2)]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("rounds", [1, 2, 3, 10])
def test_the_self_speculative_sampler_follows_its_recursion(window, rounds):
    net = hybrid()
    law = ssmd_law(net, window, rounds)
    assert abs(law.sum() - 1) < 1e-9
    tv, quantile = distance(SelfSpeculative(window, rounds), {"main": net}, law)
    assert tv < quantile


@pytest.mark.parametrize("order, allowed", [(LeftToRight(), lambda sigma: sigma == [0, 1, 2, 3]),
                                            (Blocks(2), lambda sigma: max(sigma[:2]) < 2)],
                         ids=["left_to_right", "blocks"])
def test_another_law_of_orders_is_the_recursion_over_its_orders(order, allowed):
    net = hybrid()
    law = ssmd_law(net, Fixed(3), 2, ORDERS[[allowed(sigma) for sigma in ORDERS.tolist()]])
    tv, quantile = distance(SelfSpeculative(Fixed(3), 2, order), {"main": net}, law)
    far, _ = distance(SelfSpeculative(Fixed(3), 2), {"main": net}, law)
    assert tv < quantile < far


def test_the_laws_of_different_settings_differ_by_more_than_the_noise():
    net = hybrid()
    laws = [ssmd_law(net, window, rounds) for window, rounds in [(Open(), 1), (Open(), 10), (Fixed(1), 1)]]
    assert min(0.5 * (a - b).abs().sum() for k, a in enumerate(laws)
               for b in laws[:k]) > 0.05, "the toy cannot tell them apart"


def test_a_tempered_hybrid_follows_the_recursion_of_the_tempered_laws():
    net = Temper(hybrid(), 0.7)
    tv, quantile = distance(SelfSpeculative(Open(), 2), {"main": net}, ssmd_law(net, Open(), 2))
    assert tv < quantile


def test_any_order_autoregression_is_the_window_of_one():
    net = hybrid()
    tv, quantile = distance(AnyOrder(), {"main": net}, ssmd_law(net, Fixed(1), 1))
    assert tv < quantile


def test_first_hitting_follows_the_product_of_its_drafts():
    net = hybrid()
    table = subset_table(net)
    tv, quantile = distance(FirstHitting(), {"main": net}, ordered_law(lambda i: table, [1] * D))
    assert tv < quantile


@pytest.mark.parametrize("window, sizes", [(Open(), [4]), (Fixed(3), [3, 1]), (Cosine(0.5), None)], ids=str)
def test_fixed_counts_follow_their_factorisation(window, sizes):
    net, i, found = hybrid(), 0, []
    while i < D:
        found.append(int(window.width(torch.tensor([i]), D)[0]))
        i += found[-1]
    assert sizes is None or sizes == found
    table = subset_table(net)
    tv, quantile = distance(FixedCount(window), {"main": net}, ordered_law(lambda i: table, found))
    assert tv < quantile


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("schedule", [None, CosineSchedule()], ids=["linear", "cosine"])
def test_ancestral_sampling_follows_its_factorisation(steps, schedule):
    sampler = Ancestral(steps) if schedule is None else Ancestral(steps, schedule)
    net = hybrid()
    table = subset_table(net)
    tv, quantile = distance(sampler, {"main": net}, stepped_law(lambda n: table, sampler.levels("cpu").tolist()))
    assert tv < quantile


@pytest.mark.parametrize("placement", [Prefix(0.5), Middle(0.5)], ids=str)
def test_a_schedule_of_two_different_networks_follows_the_mixed_law(placement):
    heavy, light = hybrid(0), hybrid(1)
    tables_ = {False: subset_table(heavy), True: subset_table(light)}

    def pick(share: float):
        return tables_[bool(placement.light(torch.tensor([share], dtype=torch.float64))[0])]

    nets = {"main": heavy, "light": light}
    tv, quantile = distance(Scheduled(FirstHitting(), placement), nets, ordered_law(lambda i: pick(i / D), [1] * D))
    assert tv < quantile
    levels = Ancestral(4).levels("cpu").tolist()
    tv, quantile = distance(Scheduled(Ancestral(4), placement), nets,
                            stepped_law(lambda n: pick([0.0, *levels][n]), levels))
    assert tv < quantile
