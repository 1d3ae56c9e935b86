"""Searched grids: the loss they minimise is the KL that a sampler really has, and the search finds its least."""

from itertools import combinations

import pytest
import torch

from baselines.ancestral import Ancestral
from harness.grid import by_information, information_grid, jump_your_steps, lost, profile, smooth
from harness.schedule import Knots
from tests.conformance.toys import DATA, ORDERS, D, grouped_law, subset_table, table_nets

LAW = DATA.law()


def entropies() -> torch.Tensor:
    """Mean nats of a place when i uniformly chosen others are known, under the exact joint, (D,)."""
    table = subset_table(table_nets()["main"])                                     # (16, 81, D) log p(x_l | x_S)
    return torch.stack([torch.stack([-(LAW * table[sum(1 << k for k in order[:i]), :, order[i]]).sum() for order in ORDERS.tolist()]).mean() for i in range(D)])


@pytest.mark.parametrize("counts", [(0,), (0, 2), (0, 1), (0, 3), (0, 1, 2), (0, 1, 2, 3)], ids=str)
def test_what_a_grid_loses_is_its_kl_against_the_joint(counts):
    table, sizes = subset_table(table_nets()["main"]), [b - a for a, b in zip(counts, (*counts[1:], D))]
    kl = []
    for order in ORDERS.tolist():
        law = grouped_law([table] * len(counts), [order[c : c + w] for c, w in zip(counts, sizes)])
        kl.append((LAW * (LAW / law).log()).sum())
    assert lost(entropies(), counts) == pytest.approx(float(torch.stack(kl).mean()), abs=1e-9)


def test_the_programme_finds_the_best_of_all_grids():
    h = 3 * torch.rand(9, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).sort(descending=True).values
    for steps in (1, 2, 4, 9):
        every = [(0, *rest) for rest in combinations(range(1, 9), steps - 1)]
        assert lost(h, by_information(h, steps)) == pytest.approx(min(lost(h, counts) for counts in every))


def test_the_measured_profile_is_the_entropy_of_the_law_and_costs_its_passes():
    rows, at = DATA.rows("test", 8192, 0), torch.arange(D)
    h = profile(table_nets()["main"], rows, at, batch=1024)
    assert torch.allclose(h, entropies(), atol=0.02)
    assert bool((smooth(at, h, D).diff() <= 0).all())
    grid = information_grid(table_nets()["main"], rows[:64], 2)
    assert grid.passes == D * 64 and grid.alphas[0] == 0 and grid.alphas[-1] == 1 and len(grid.alphas) == 3


def test_jump_your_steps_refines_one_interval_at_a_time_and_says_what_it_cost():
    rows = DATA.rows("test", 256, 1)
    two, four = (jump_your_steps(table_nets()["main"], rows, steps, evaluations=8) for steps in (2, 4))
    assert two.alphas[1] in four.alphas and len(four.alphas) == 5 and list(four.alphas) == sorted(four.alphas)
    assert two.passes == 256 * 9 and four.passes == 256 * (5 * 8 + 3)    # splits, and the start of each interval once
    assert Ancestral(4, Knots(four.alphas)).levels("cpu").tolist() == pytest.approx(four.alphas[1:])


def test_more_steps_than_tokens_are_refused():
    with pytest.raises(ValueError, match="choose 1 to 4"):
        information_grid(table_nets()["main"], DATA.rows("test", 8, 0), 5)
