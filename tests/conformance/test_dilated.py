"""Dilated orders: where they stand, and that a sampler keeps its law over them."""

from dataclasses import replace

import pytest
import torch

from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.metrics.law import total_variation
from harness.schedules.order import Dilated
from harness.schedules.window import Fixed, Linear, Open
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import DATA, D, N, distance, grouped_law, hybrid, ssmd_law, subset_table, table_nets

ORDERS = [[(place - start) % D for place in (0, 2, 1, 3)] for start in range(D)]    # of four places


def orders(length: int, n: int = 4000) -> torch.Tensor:
    u = torch.rand(n, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Dilated().times(u).argsort(1)


def test_every_start_is_as_likely_and_no_other_order_comes():
    found, counts = orders(D).unique(dim=0, return_counts=True)
    assert sorted(found.tolist()) == sorted(ORDERS) and counts.min() > 850  # of 1,000; five standard deviations are 137


@pytest.mark.parametrize("length", [8, 64, 128, 256])
def test_each_doubling_halves_every_gap(length):
    for order in orders(length, 20):
        for k in range(length.bit_length()):
            first = order[: 1 << k].sort().values
            assert (first.diff(append=first[:1] + length) == length >> k).all()


@pytest.mark.parametrize("length", [3, 20, 100, 127])
def test_other_lengths_are_orders_too_and_neighbours_come_late(length):
    for order in orders(length, 20):
        assert order.sort().values.tolist() == list(range(length))
        gaps = order[: length // 4].sort().values.diff()
        assert not len(gaps) or gaps.min() >= 2


ROUGH = [(SelfSpeculative(window, rounds, order=Dilated()), window, rounds) for window,
         rounds in ((Open(), 1), (Open(), 4), (Fixed(2), 1), (Linear(0.6), 2))]


@pytest.mark.parametrize("sampler, window, rounds", ROUGH, ids=str)
def test_the_law_is_the_sampler_s_over_dilated_orders(sampler, window, rounds):
    """Under a network without a joint, where every order has a law of its own."""
    law = ssmd_law(hybrid(), window, rounds, torch.tensor(ORDERS))
    tv, quantile = distance(sampler, {"main": hybrid()}, law, 4 * N)
    assert tv < quantile
    # uniform orders could be told apart
    assert total_variation(law, ssmd_law(hybrid(), window, rounds)) > 1.5 * quantile


@pytest.mark.parametrize("sampler, sizes", [(FirstHitting(1), [1, 1, 1, 1]), (FirstHitting(2), [2, 2]),
                                         (FixedCount(Fixed(3)), [3, 1])], ids=str)
def test_tokens_drawn_side_by_side_are_those_of_the_order(sampler, sizes):
    table, starts = subset_table(hybrid()), [sum(sizes[:k]) for k in range(len(sizes))]
    law = torch.stack([grouped_law([table] * len(sizes), [order[s : s + w] for s, w in zip(starts, sizes)])
                       for order in ORDERS]).mean(0)
    tv, quantile = distance(replace(sampler, order=Dilated()), {"main": hybrid()}, law)
    assert tv < quantile


def test_what_is_drawn_side_by_side_misses_an_ideal_joint():
    tv, quantile = distance(FirstHitting(2, order=Dilated()), table_nets(), DATA.law())
    assert tv > 2 * quantile
