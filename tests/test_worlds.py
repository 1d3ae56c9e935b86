"""Worlds with a known answer: their sizes, an oracle of them, and samplers against closed forms.

A factorised sampler draws the tokens of a step from their marginals. Its chance of a legal state is known, and
`fixed_count` must hit it; exact families must write nothing else than legal states, in every window.
"""

from collections import Counter
from dataclasses import replace
from math import factorial, prod

import pytest
import torch

from baselines.fixed_count import FixedCount
from harness import plugins
from harness.data.exact import Exact
from harness.data.worlds import KINDS, World
from harness.metrics.law import LawTv, Legal, null_quantile
from harness.nets.listed import Listed
from harness.nets.tabular import Tabular
from harness.sampling.loop import sample
from harness.schedules.order import Dilated, LeftToRight
from harness.schedules.window import Cosine, Fixed, Linear, Open
from harness.study import Table
from ssmd.sampler import SelfSpeculative

N = 4096


def legal(world: World, sampler, n: int = N, net=None) -> float:
    rows = sample(sampler, {"main": net or Table(world).load("cpu")}, torch.full((n, world.length), world.mask), 0, n)
    return float(Legal().score(rows, world).value)


@pytest.mark.parametrize("kind, size, states", [
    ("permutations", 4, 24), ("permutations", 7, 5040), ("latin", 3, 12), ("latin", 4, 576), ("sudoku", 4, 288),
    ("queens", 4, 2), ("queens", 5, 10), ("queens", 6, 4), ("queens", 8, 92), ("replace", 5, 5), ("insert", 4, 5),
    ("remove", 4, 4), ("latin", 5, 161_280)])
def test_the_sizes_are_those_that_are_known(kind, size, states):
    world = World(kind, size)
    found = world.states()
    assert len(found) == states and (world.index(found[:100]) == torch.arange(min(100, states))).all()
    assert world.legal(world.rows("test", 64, 3)).all() and found.max() < world.vocab
    if kind in ("latin", "sudoku"):
        square = found[:: max(1, states // 50)].view(-1, size, size)
        assert all((lines.sort(-1).values == torch.arange(size)).all() for lines in (square, square.mT))
    if kind == "sudoku":
        boxes = found.view(-1, 2, 2, 2, 2).transpose(2, 3).reshape(-1, 4)
        assert (boxes.sort(-1).values == torch.arange(4)).all()


def test_a_row_that_is_none_is_counted_as_none():
    world = World("permutations", 4)
    rows = torch.tensor([[0, 1, 2, 3], [0, 0, 2, 3], [3, 2, 1, 0]])
    assert Legal().score(rows, world).numerator.tolist() == [1, 0, 1]
    assert LawTv().score(rows[1:2].repeat(9, 1), world).value == 1
    with pytest.raises(ValueError, match="is a mask left in them"):
        world.index(torch.tensor([[0, 1, 2, 4]]))
    with pytest.raises(ValueError, match="exact has no list of legal states"):
        Legal().score(torch.zeros(2, 4).long(), Exact())
    for kind, size in (("sudoku", 5), ("latin", 6), ("queens", 9), ("permutations", 9)):
        with pytest.raises(ValueError, match="cannot be listed; choose"):
            World(kind, size)


def test_the_network_of_a_list_is_that_of_the_whole_table():
    data = Exact()
    table, net = Tabular(data.law(), 3, 4), Listed(data.states(), data.law(), 3)
    x = data.rows("test", 32, 0)
    x[torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.5] = 3
    assert torch.allclose(net.draft(x)[0].exp(), table.draft(x)[0].exp(), atol=1e-12)
    order = torch.arange(4).expand(32, -1)
    y, at = data.rows("test", 32, 1), torch.tensor([[1, 3]]).expand(32, -1)
    assert torch.allclose(net.verify(x, y, order, at).exp(), table.verify(x, y, order, at).exp(), atol=1e-12)
    assert torch.allclose(net.flat().draft(x)[0], table.flat().draft(x)[0], atol=1e-9)


def test_a_text_that_fits_no_state_is_finished_from_the_whole_law():
    net = Table(World("permutations", 3)).load("cpu")
    x = torch.tensor([[0, 0, 3], [0, 3, 3]])
    law = net.draft(x)[0].softmax(-1)
    assert law[0, 2].tolist() == pytest.approx([1 / 3] * 3) and law[1, 1].tolist() == pytest.approx([0, 0.5, 0.5])


def shuffled(steps: tuple[int, ...]) -> float:
    """prod r!/((r - m)! r^m) over steps of m tokens with r left."""
    left = [sum(steps[k:]) for k in range(len(steps))]
    return prod(factorial(r) / factorial(r - m) / r**m for r, m in zip(left, steps))


def replaced(steps: tuple[int, ...]) -> float:
    """Exactly one place is drawn as the new item, at some step, and none before it."""
    left, found, before = [sum(steps[k:]) for k in range(len(steps))], 0.0, 1.0
    for r, m in zip(left, steps):
        found += before * m / r * (1 - 1 / r) ** (m - 1)
        before *= (1 - 1 / r) ** m
    return found


CLOSED = [    # one step
    ("permutations", 4, Open(), shuffled((4,)), 0.0938), ("permutations", 8, Open(), shuffled((8,)), 0.0024),
    ("replace", 4, Open(), (1 - 1 / 4) ** 3, 0.422), ("insert", 2, Open(), 8 / 27, 0.296),
    ("insert", 3, Open(), 6 * 8 / 256, 0.188), ("insert", 4, Open(), 24 * 16 / 5**5, 0.123),
    ("remove", 2, Open(), 1.0, 1.0), ("remove", 3, Open(), 8 / 9, 0.889), ("remove", 4, Open(), 6 * 8 / 64, 0.75),
    # steps of m tokens
    ("permutations", 4, Fixed(2), shuffled((2, 2)), 0.375), ("permutations", 8, Fixed(4), shuffled((4, 4)), 0.0385),
    ("permutations", 6, Fixed(1), 1.0, 1.0), ("replace", 4, Fixed(2), replaced((2, 2)), 0.656)]


@pytest.mark.parametrize("kind, size, window, chance, told", CLOSED, ids=lambda x: str(x))
def test_a_factorised_sampler_is_right_as_often_as_its_closed_form_says(kind, size, window, chance, told):
    """Within four binomial standard errors."""
    assert chance == pytest.approx(told, abs=0.0006)
    assert abs(legal(World(kind, size), FixedCount(window)) - chance) <= 4 * (chance * (1 - chance) / N) ** 0.5


def test_one_parallel_draw_of_a_square_is_hopeless():
    assert 576 / 4**16 == pytest.approx(1.3e-7, rel=0.04) and 288 / 4**16 == pytest.approx(6.7e-8, rel=0.01)
    for kind in ("latin", "sudoku"):
        assert legal(World(kind, 4), FixedCount(Open()), 2048) == 0


SMALL = [World("permutations", 4), World("latin", 3), World("queens", 5), World("insert", 4), World("replace", 5)]


@pytest.mark.parametrize("window", [Open(), Fixed(2), Cosine(0.3), Linear(0.5)], ids=str)
@pytest.mark.parametrize("world", SMALL, ids=lambda world: world.kind)
def test_self_speculation_is_always_right_in_any_window_and_order(world, window):
    for order in (SelfSpeculative(window, 3), SelfSpeculative(window, 3, Dilated()),
                  SelfSpeculative(window, 1, LeftToRight())):
        assert legal(world, order, 512) == 1


@pytest.mark.parametrize("name", sorted(plugins.samplers()))
def test_every_family_that_claims_an_exact_setting_is_right_in_it(name):
    world, sampler = World("permutations", 4), plugins.samplers()[name]()
    exact = sampler.exact() if hasattr(sampler, "exact") else None
    if exact is None:
        pytest.skip(f"{name} has no exact setting")
    if not {*sampler.needs} <= {"main", "light"}:
        pytest.skip(f"{name} needs other networks")
    net = Table(world).load("cpu")
    rows = sample(exact, {"main": net, "light": net.flat()}, torch.full((2048, 4), 4), 0, 2048)
    assert Legal().score(rows, world).value == 1
    counts = torch.bincount(world.index(rows), minlength=24)
    assert LawTv().score(rows, world).value < null_quantile(world.law(), 2048, draws=250), Counter(counts.tolist())


def test_a_world_is_a_data_set_and_its_settings_are_its_identity():
    assert plugins.datasets()["world"] is World and {*KINDS} >= {"permutations", "latin", "sudoku", "queens"}
    world = World("queens", 6)
    assert world.identity() == {"name": "world", "version": 1, "kind": "queens", "size": 6}
    assert replace(world, size=5) != world
