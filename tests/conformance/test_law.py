"""The law under an ideal network: exact samplers hit the noise floor, biased ones must miss it."""

import pytest
import torch

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.schedules.noise import Cosine as CosineSchedule
from harness.schedules.noise import Knots
from harness.schedules.order import Blocks, Dilated, LeftToRight
from harness.schedules.window import Cosine, Fixed, Linear, Open, Stairs
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import DATA, MASK, STATES, D, N, distance, drawn, table_nets

EXACT = [FirstHitting(), AnyOrder(), FixedCount(Fixed(1)),
         *(SelfSpeculative(w, r) for w in (Open(), Cosine(0.3), Linear(0.6), Fixed(2), Stairs()) for r in (1, 2, 8)),
         *(s for order in (Blocks(2), LeftToRight())
           for s in (FirstHitting(1, order), AnyOrder(order), FixedCount(Fixed(1), order),
                     SelfSpeculative(Fixed(3), 2, order))),
         FirstHitting(1, order=Dilated()), *(SelfSpeculative(w, r, order=Dilated()) for w in (Open(), Fixed(2))
                                         for r in (1, 4))]


@pytest.mark.parametrize("sampler", EXACT, ids=str)
def test_exact_samplers_hit_the_noise_floor(sampler):
    tv, quantile = distance(sampler, table_nets(), DATA.law())
    assert tv < quantile


@pytest.mark.parametrize("sampler, least", [(FixedCount(Open()), 0.4), (FixedCount(Fixed(2)), 0.15),
                                            (Ancestral(1), 0.4), (Ancestral(2), 0.15), (FirstHitting(4), 0.4),
                                           (Scheduled(FirstHitting()), 0.0)], ids=str)
def test_biased_samplers_miss_it(sampler, least):
    tv, quantile = distance(sampler, table_nets(), DATA.law(), n=4 * N)
    assert tv > max(least, quantile)


def test_ancestral_sampling_approaches_the_law_as_steps_grow():
    distances = [distance(Ancestral(steps), table_nets(), DATA.law())[0] for steps in (1, 2, 4, 8, 16)]
    assert all(a > b for a, b in zip(distances, distances[1:]))
    tv, quantile = distance(Ancestral(2048), table_nets(), DATA.law())
    assert tv < quantile


def test_any_grid_is_a_schedule_of_knots():
    """The linear schedule on a cosine grid is the cosine schedule on a uniform one."""
    steps = 5
    grid = torch.cos(torch.pi / 2 * torch.arange(steps + 1, dtype=torch.float64) / steps)
    knots = Knots((0.0, *(1 - grid[1:-1]).tolist(), 1.0))
    assert torch.equal(drawn(Ancestral(steps, knots), table_nets(), 2048),
                       drawn(Ancestral(steps, CosineSchedule()), table_nets(), 2048))


def test_a_schedule_of_one_network_twice_is_the_host_bit_for_bit():
    nets = table_nets() | {"light": table_nets()["main"]}
    for host in (FirstHitting(), Ancestral(3)):
        for by in ("clock", "count"):
            assert torch.equal(drawn(Scheduled(host, by=by), nets, 512), drawn(host, nets, 512))


@pytest.mark.parametrize("sampler", [*EXACT, FixedCount(Open()), Ancestral(3), Scheduled(Ancestral(3)),
                                     Scheduled(FirstHitting())], ids=str)
def test_given_tokens_are_kept_and_the_rest_follows_the_conditional_law(sampler):
    prompts = torch.tensor([2, MASK, 0, MASK]).expand(N, D)
    x = drawn(sampler, table_nets(), prompts=prompts)
    assert bool((x[:, 0] == 2).all() and (x[:, 2] == 0).all() and (x != MASK).all())
    if sampler in EXACT:
        fits = (STATES[:, 0] == 2) & (STATES[:, 2] == 0)
        law = torch.where(fits, DATA.law(), 0.0) / DATA.law()[fits].sum()
        tv = 0.5 * (torch.bincount(DATA.index(x), minlength=81) / N - law).abs().sum()
        assert tv < 0.03  # 9 outcomes: the 99.99 % quantile is about 0.022
