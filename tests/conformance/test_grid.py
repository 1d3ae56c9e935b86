"""Searched grids: the loss they minimise is the KL that a sampler really has, and the search finds its least."""

import json
from itertools import combinations

import pytest
import torch

from baselines.ancestral import Ancestral
from harness.__main__ import main
from harness.schedules.noise import Knots
from harness.search.time_grid import (
    SEARCHES,
    by_information,
    information_grids,
    jump_your_steps,
    lost,
    profile,
    read,
    revealed_at,
    smooth,
)
from studies.demo.study import STUDY as DEMO
from studies.time_grids.claims import FILE
from tests.conformance.toys import DATA, ORDERS, D, grouped_law, subset_table, table_nets

LAW = DATA.law()


def entropies() -> torch.Tensor:
    """Mean nats of a place when i uniformly chosen others are known, under the exact joint, (D,)."""
    table = subset_table(table_nets()["main"])                                     # (16, 81, D) log p(x_l | x_S)
    return torch.stack([torch.stack([-(LAW * table[sum(1 << k for k in order[:i]), :, order[i]]).sum()
                                     for order in ORDERS.tolist()]).mean() for i in range(D)])


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
    grid = information_grids(table_nets()["main"], rows[:64], [2])[2]
    assert grid.passes == D * 64 and grid.alphas[0] == 0 and grid.alphas[-1] == 1 and len(grid.alphas) == 3


def test_jump_your_steps_refines_one_interval_at_a_time_and_says_what_it_cost():
    rows = DATA.rows("test", 256, 1)
    two, four = jump_your_steps(table_nets()["main"], rows, [2, 4], evaluations=8).values()
    assert two.alphas[1] in four.alphas and len(four.alphas) == 5 and list(four.alphas) == sorted(four.alphas)
    assert two.passes == 256 * 9 and four.passes == 256 * 5 * 9    # an interval: its start and eight evaluations
    assert jump_your_steps(table_nets()["main"], rows, [4], evaluations=8)[4] == four
    assert Ancestral(4, Knots(four.alphas)).levels("cpu").tolist() == pytest.approx(four.alphas[1:])


def test_jump_your_steps_splits_where_its_loss_gains_most():
    """The gain of a split by its definition, on a fine grid of places: golden section meets the best of them within its
    last bracket.
    """
    net, rows, length = table_nets()["main"], DATA.rows("test", 256, 1), D
    times = revealed_at(rows, 0)

    def gain(b: float) -> float:
        before, after = (net.draft(rows.masked_fill(times >= alpha, net.mask))[0].double().log_softmax(-1)
                         for alpha in (0.0, b))
        kl, hidden = (after.exp() * (after - before)).nan_to_num().sum(-1), times >= b
        return float(torch.stack([(kl[k][hidden[k]].mean() if hidden[k].any() else kl.new_zeros(()))
                                  for k in range(len(rows))]).mean() * (1 - b) * length)

    found = jump_your_steps(net, rows, [2])[2].alphas[1]
    fine = torch.linspace(0.02, 0.98, 49, dtype=torch.float64).tolist()
    best = max(fine, key=gain)
    assert gain(best) > 1.2 * min(gain(0.1), gain(0.95)), "the gain has a shape"
    assert gain(found) >= 0.97 * gain(best)


@pytest.mark.parametrize("search", SEARCHES.values())
@pytest.mark.parametrize("steps", [0, 5])
def test_a_number_of_steps_that_does_not_fit_is_refused(search, steps):
    with pytest.raises(ValueError, match="choose 1 to 4"):
        search(table_nets()["main"], DATA.rows("test", 8, 0), [2, steps])


def test_the_command_writes_grids_that_a_study_reads(tmp_path, capsys):
    words = ["grid", "studies/smoke", "--steps", "2", "3", "--rows", "16", "--out",
             str(tmp_path / "new" / "grids.json")]
    assert main(words) == 0 and json.loads(capsys.readouterr().out.splitlines()[-1]) == {"grids": words[-1]}
    found = read(tmp_path / "new" / "grids.json")
    assert found.keys() == {(by, steps) for by in SEARCHES for steps in (2, 3)} and all(
        len(knots.alphas) == steps + 1 for (_, steps), knots in found.items()
    )
    for wrong, says in ((["--net", "none"], "has no network 'none'"), (["--rows", "0"], "at least 1"),
                        (["--steps", "99"], "choose 1 to")):
        assert main([*words, *wrong]) == 2 and says in capsys.readouterr().err
    assert read(tmp_path / "new" / "grids.json") == found, "a search that is refused leaves what was there"


@pytest.mark.parametrize(("text", "says"), [
    ("{", "it is not valid JSON"), ("[" * 100_000, "it is nested deeper than 100 levels"),
    ("{}", "the field `grids` is missing"),
    ('{"grids": [{"by": "x", "steps": -1, "alphas": [0, 1], "passes": 3}]}', r"the field `grids\[0\].steps` is wrong"),
    ('{"grids": [{"by": "x", "steps": 1, "alphas": [0, 2], "passes": 3}]}',
     r"the field `grids\[0\].alphas\[1\]` is wrong"),
    ('{"grids": [{"by": "x", "steps": 1, "alphas": [1, 0], "passes": 3}]}', "must rise from 0 to 1"),
])
def test_a_file_that_holds_no_time_grids_is_one_sentence(tmp_path, text, says):
    (tmp_path / "torn.json").write_text(text)
    with pytest.raises(ValueError, match=f"torn.json: .*{says}.*: write it with `ssmd-bench grid`"):
        read(tmp_path / "torn.json")


def test_the_grids_that_are_kept_are_those_of_the_shipped_network():
    kept, heavy = json.loads(FILE.read_text()), DEMO.nets["heavy"].load("cpu")
    rows = DEMO.data.rows("validation", kept["rows"], kept["seed"])
    assert heavy.sha256 == kept["net"]["sha256"] and DEMO.data.identity() == kept["data"]
    again = information_grids(heavy, rows, [g["steps"] for g in kept["grids"]])
    assert all(read(FILE)["information", steps].alphas == grid.alphas for steps, grid in again.items())
    assert {g["passes"] for g in kept["grids"] if g["by"] == "information"} == {grid.passes for grid in again.values()}
