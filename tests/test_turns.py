"""A contest of two trees on made-up processes: what is asked, in which order, what is decided and when, and how often
that is wrong. Nothing is sampled."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from harness.checks.rules import Rules
from harness.contest import turns
from harness.contest.judge import LEVEL, decider, judged, looks
from harness.contest.text import code, document, headline, table
from harness.contest.turns import Plan, fought
from harness.run.trees import Tree

PLAN = Plan()
CELLS = ("a: one()", "a: two()", "b: three()")


class MadeUp:
    """A side whose cells take `seconds[cell]` of the CPU and of the clock; what was asked is kept in `asked`."""

    def __init__(
        self,
        name: str,
        asked: list,
        cpu: dict[str, float],
        wall: dict[str, float] | None = None,
        fails: str = "",
        samples: str = "same",
        noise=None,
    ):
        self.tree, self.asked, self.cpu, self.wall = (
            Tree(name, name, Path(f"/nowhere/{name}"), "", Path("/nowhere/home"), "study.py"),
            asked,
            cpu,
            wall or cpu,
        )
        self.fails, self.samples, self.noise, self.replies = fails, samples, noise or (lambda: 1.0), []

    def ask(self, do: str, cell: str = "", repeats: int = 1) -> None:
        self.asked.append((do, self.tree.name, cell))
        times = (
            {m: table[cell] * repeats * self.noise() for m, table in (("cpu", self.cpu), ("wall", self.wall))}
            if cell
            else {"cpu": 0.0}
        )
        if do == "warm":
            times |= {"samples": self.samples, "calls": {"main.draft": 8.0 if self.samples == "same" else 9.0}}
        self.replies.append({"error": "RuntimeError: made up"} if cell and cell == self.fails else times)

    def answer(self) -> dict:
        return self.replies.pop(0)


def about(cells=CELLS, rows: int = 4, tree: str = "c0de", source: str = "/lib/made_up.py") -> dict:
    return {"study": "made_up", "rows": rows, "harness": "/lib/harness", "instructions": False,
            "cells": {cell: {"arm": cell[0], "made": {"tree": tree}, "source": source} for cell in cells}}


@pytest.fixture
def fight(monkeypatch):
    """A contest of made-up sides, on a clock of its own that each request for a time moves on."""
    def run(old: dict, new: dict, plan: Plan = PLAN, says: tuple[dict, dict] | None = None):
        asked: list = []

        @contextmanager
        def pair(trees, plan):
            yield (MadeUp("OLD", asked, **old), MadeUp("NEW", asked, **new)), says or (about(), about())

        now = [0.0]

        def clock() -> float:
            now[0] += 0.02
            return now[0]

        monkeypatch.setattr(turns, "pair", pair)
        monkeypatch.setattr(turns.time, "perf_counter", clock)
        monkeypatch.setattr(turns, "ticks", lambda: None)
        return fought((None, None), plan), asked    # type: ignore[arg-type]

    return run


def even(seconds: float = 1.0) -> dict[str, float]:
    return dict.fromkeys(CELLS, seconds)


def noisy(seed: int, sd: float = 0.02):
    rng = np.random.default_rng(seed)
    return lambda: float(np.exp(sd * rng.standard_normal()))


def test_processes_are_timed_in_turns_and_the_order_is_turned_round(fight):
    found, asked = fight({"cpu": even(), "noise": noisy(1)}, {"cpu": even(1.5), "noise": noisy(2)})
    timed = [(side, cell) for do, side, cell in asked if do == "timed"]
    fours = [
        timed[k : k + 4] for k in range(0, len(found.blocks[0].logs) * 4, 4)
    ]    # of the first block, which has no second warm-up
    assert [cell for four in fours for _, cell in four] == [cell for cell in CELLS for _ in range(4)]
    assert ["".join(side[0] for side, _ in four) for four in fours] == ["ONNO", "NOON", "ONNO"]
    assert [do for do, *_ in asked].count("warm") == 2 * len(
        CELLS
    )    # counts and samples are looked at once, not in every block


def test_a_slow_down_is_found_at_the_first_look_and_ends_the_contest(fight):
    found, _ = fight({"cpu": even(), "noise": noisy(1)}, {"cpu": even(1.5), "noise": noisy(2)})
    assert found.judged.end == "regression" and len(found.blocks) == 5 < found.planned and code(found, Rules()) == 1
    assert found.judged.whole["cpu"].value == pytest.approx(1.5, rel=0.03) and headline(found, Rules()).startswith(
        "regression: NEW takes 1."
    )
    assert "times the CPU seconds of OLD over all cells; 5 pairs of processes" in headline(found, Rules())
    assert found.blocks[0].seconds[CELLS[0]]["old"] == pytest.approx(1.0, rel=0.1)


def test_trees_that_are_equal_are_shown_to_be(fight):
    found, _ = fight({"cpu": even(), "noise": noisy(1, 0.001)}, {"cpu": even(), "noise": noisy(2, 0.001)})
    assert (
        found.judged.end == "no regression"
        and code(found, Rules()) == 0
        and headline(found, Rules()).startswith("no regression in CPU seconds: ")
    )
    assert (
        "samples are equal in all 3 cells" in found.notes
        and "the sources of both trees are equal" in found.notes
    )


def test_what_is_not_shown_says_so_and_what_would_have_been_seen(fight):
    found, _ = fight({"cpu": even(), "noise": noisy(1, 0.2)}, {"cpu": even(1.03), "noise": noisy(2, 0.2)})
    assert found.judged.end == "not shown" and len(found.blocks) == found.planned >= 5
    assert code(found, Rules()) == 4 and code(found, Rules(inconclusive_time="pass")) == 0
    assert "no regression" not in table(
        found, Rules()
    ) and f"a slow-down of {found.judged.seen - 1:.0%} would have been found" in headline(found, Rules())
    assert document(found, Rules())["end"] == "not shown" and found.judged.seen > 1.05


def test_a_slow_down_that_takes_no_time_of_the_processor_is_seen_by_the_clock(fight):
    found, _ = fight({"cpu": even(), "noise": noisy(1)}, {"cpu": even(), "wall": even(1.5), "noise": noisy(2)})
    assert found.judged.end == "regression" and "wall seconds of OLD over all cells" in headline(found, Rules())
    assert found.judged.whole["cpu"].outcome != "slower" and table(found, Rules()).count("wall slower") == 4


def test_a_slow_down_of_one_cell_is_named(fight):
    found, _ = fight(
        {"cpu": even(), "noise": noisy(1)}, {"cpu": even() | {CELLS[2]: 1.6}, "noise": noisy(2)}, Plan(threshold=1.25)
    )
    assert found.judged.end == "regression" and headline(found, Rules()).split(";")[0].endswith(
        f"times the CPU seconds of OLD for {CELLS[2]}"
    )
    assert {cell for cell, own in found.judged.cells.items() if own["cpu"].outcome == "slower"} == {CELLS[2]}


def test_an_arm_has_a_threshold_of_its_own(fight):
    found, _ = fight(
        {"cpu": even(), "noise": noisy(1)}, {"cpu": even(1.5), "noise": noisy(2)}, Plan(thresholds={"a": 2.0, "b": 2.0})
    )
    assert {own["cpu"].outcome for own in found.judged.cells.values()} == {"not slower"} and found.judged.whole[
        "cpu"
    ].outcome == "slower"


def test_unlike_samples_counts_and_cells_are_said(fight):
    found, _ = fight(
        {"cpu": even(), "noise": noisy(1)},
        {"cpu": even(1.5), "noise": noisy(2), "samples": "other"},
        says=(about(), about((*CELLS[1:], "c: new()"), tree="new")),
    )
    said = "\n".join(found.notes)
    assert (
        "samples differ in 2 of 2 cells, the first is a: two()" in said
        and "a: two(): passes a row differ: main.draft 8 before, 9 now" in said
    )
    assert (
        "OLD alone has a: one()" in said and "NEW alone has c: new()" in said and "sources of both trees" not in said
    )


def test_a_cell_that_fails_in_new_alone_is_a_failed_run(fight):
    found, _ = fight({"cpu": even(), "noise": noisy(1)}, {"cpu": even(), "fails": CELLS[0], "noise": noisy(2)})
    assert (
        code(found, Rules()) == 3
        and "a: one()" in headline(found, Rules())
        and any("cannot be sampled: NEW: RuntimeError: made up" in n for n in found.notes)
    )
    found, _ = fight({"cpu": even(), "fails": CELLS[0], "noise": noisy(1)}, {"cpu": even(1.5), "noise": noisy(2)})
    assert code(found, Rules()) == 1 and len(found.judged.cells) == 2


def test_trees_without_a_cell_in_common_are_not_comparable(fight):
    found, _ = fight({"cpu": even()}, {"cpu": even()}, says=(about(CELLS[:1]), about(CELLS[1:])))
    assert (
        code(found, Rules()) == 2
        and headline(found, Rules()).startswith("nothing comparable")
        and document(found, Rules())["end"] == "nothing comparable"
    )


def test_what_cannot_end_in_time_is_refused_with_how_long_it_takes(fight):
    with pytest.raises(
        ValueError,
        match=r"would take \d+\.\d min, more than --minutes 0.5: give --only ARM, fewer --rows, or more minutes",
    ):
        fight({"cpu": even(3.0)}, {"cpu": even(3.0)}, Plan(minutes=0.5))


def test_a_tree_that_runs_the_code_of_another_place_is_refused(fight):
    with pytest.raises(ValueError, match="OLD .* runs code of /nowhere/home/planner.py, not its own"):
        fight({"cpu": even()}, {"cpu": even()}, says=(about(source="/nowhere/home/planner.py"), about()))
    with pytest.raises(ValueError, match="the trees time 4 and 8 rows: give --rows"):
        fight({"cpu": even()}, {"cpu": even()}, says=(about(), about(rows=8)))


def test_looks_begin_with_the_fewest_blocks_that_decide_and_end_with_the_last():
    assert looks(14) == (5, 8, 10, 14) and looks(5) == (5,) and looks(6) == (5, 6) and looks(4) == ()
    assert all(len(looks(n)) <= 4 and looks(n)[0] == 5 and looks(n)[-1] == n for n in range(5, 60))


def test_the_steadiest_measure_decides_and_on_an_accelerator_the_clock():
    assert (
        decider(["instructions", "cpu", "wall"], "cpu") == "instructions"
        and decider(["cpu", "wall"], "cpu") == "cpu"
        and decider(["cpu", "wall"], "cuda:0") == "wall"
    )


def contest_of(rng: np.random.Generator, blocks: int, cells: int, sd: float, slow: float) -> str:
    """Where a contest of made-up ratios ends, with its looks. Half of the noise is shared by the cells of a block."""
    shared = {m: sd / 2**0.5 * rng.standard_normal(blocks) for m in ("cpu", "wall")}
    logs = {
        str(c): {
            m: np.log(slow) + shared[m] * (3 if m == "wall" else 1) + sd / 2**0.5 * rng.standard_normal(blocks)
            for m in ("cpu", "wall")
        }
        for c in range(cells)
    }
    for n in looks(blocks):
        found = judged(
            {c: {m: list(x[:n]) for m, x in own.items()} for c, own in logs.items()},
            dict.fromkeys(logs, 1.0),
            1.0,
            len(looks(blocks)),
        )
        if found.end != "not shown":
            return found.end
    return "not shown"


def test_a_false_slow_down_comes_in_at_most_one_contest_of_a_hundred_even_at_the_threshold():
    rng = np.random.default_rng(0)
    alarms = sum(contest_of(rng, 14, 3, 0.03, 1.0) == "regression" for _ in range(1500))
    assert LEVEL == 0.01 and alarms <= 25    # of 1,500: at 1 % more than 25 has a probability of 0.7 %


def test_a_slow_down_of_twelve_percent_over_the_threshold_of_three_is_found_through_the_noise_of_a_busy_machine():
    rng = np.random.default_rng(0)
    assert np.mean([contest_of(rng, 14, 3, 0.04, 1.12 / 1.03) == "regression" for _ in range(200)]) > 0.9
