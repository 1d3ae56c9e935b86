"""A contest: two trees of sources, timed in turns, until one is shown to be slower, or not to be, or time is up.

A block starts a fresh process of each tree (harness/run/side.py), which load the study side by side and sample every
cell once. Then they are timed one at a time, cell after cell, in the order OLD NEW NEW OLD or its mirror image, so that
a machine which grows slower or faster meanwhile favours none. A block's ratio of a cell is the median over these fours,
its ratio over all cells the mean of the logarithms. What blocks show is in harness/contest/judge.py. CPU seconds stand
beside wall seconds: other work on the machine makes a process wait, which the wall clock counts and the CPU's does not.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log
from pathlib import Path
from statistics import median
from typing import NamedTuple

from harness.contest.judge import Judged, judged, looks
from harness.contest.pair import Process, alone, both, pair
from harness.run.clock import ticks
from harness.run.trees import Tree
from harness.stats.intervals import FEWEST_PROCESSES

SLICE = 0.05      # seconds of one turn of a cell, at least: shorter ones are repeated
BLOCKS = 14       # aimed at
RESERVE = 0.9     # of the time is planned for


@dataclass(frozen=True)
class Plan:
    only: tuple[str, ...] = ()
    rows: int | None = None            # of each cell; default: those that the study times, or 16
    minutes: float = 5.0
    device: str = "cpu"
    plugins: tuple[str, ...] = ()
    threshold: float = 1.03            # NEW over OLD; slower than that is a regression
    thresholds: Mapping[str, float] = field(default_factory=dict)    # the same, by arm

    def settings(self) -> dict:
        """What a process of a tree is told when it loads the study."""
        return {"only": list(self.only), "plugins": list(self.plugins), "rows": self.rows, "device": self.device}


class Block(NamedTuple):
    logs: dict[str, dict[str, float]]        # by cell and measure: log(NEW / OLD)
    seconds: dict[str, dict[str, float]]     # by cell: median CPU seconds of a run, of OLD and of NEW
    busy: float | None                       # share of the machine that others took meanwhile
    load: float | None                       # load average: processes that run or would like to, these among them


class Contest(NamedTuple):
    judged: Judged | None                    # None if no cell could be compared
    blocks: list[Block]
    planned: int
    failed: dict[str, str]                   # cell -> why it fails in NEW
    notes: list[str]
    seconds: float


class Meeting(NamedTuple):
    """What the first pair says: the cells that both can sample, what is unlike, and how long all of it takes."""

    cells: list[str]
    repeats: dict[str, int]
    warm: float                 # seconds of every cell once, side by side
    four: float                 # of one four of every cell
    bounds: dict[str, float]
    failed: dict[str, str]
    notes: list[str]


def meet(sides: tuple[Process, Process], about: tuple[dict, dict], plan: Plan) -> Meeting:
    notes, failed, cells = checked(sides, about), {}, []
    repeats, warm, four, unlike = {}, 0.0, 0.0, []
    for cell in (c for c in about[0]["cells"] if c in about[1]["cells"]):
        old, new = both(sides, "warm", cell=cell)
        if "error" in new or "error" in old:
            if "error" not in old:
                failed[cell] = new["error"]
            notes.append(
                f"{cell} cannot be sampled: "
                + "; ".join(f"{s.tree.name}: {x['error']}" for s, x in zip(sides, (old, new)) if "error" in x)
            )
            continue
        cells.append(cell)
        unlike += [cell] if old["samples"] != new["samples"] else []
        passes = {k: (old["calls"].get(k, 0), new["calls"].get(k, 0)) for k in {**old["calls"], **new["calls"]}}
        if changed := [f"{k} {before:g} before, {now:g} now" for k, (before, now) in passes.items() if before != now]:
            notes.append(f"{cell}: passes a row differ: {', '.join(changed)}")
        repeats[cell] = max(1, ceil(SLICE / max(1e-6, min(old["cpu"], new["cpu"]))))
        warm += max(old["wall"], new["wall"])
        four += 2 * repeats[cell] * (old["wall"] + new["wall"])
    if unlike:
        notes.append(
            f"samples differ in {len(unlike)} of {len(cells)} cells, the first is {unlike[0]}: "
            "these times are of unlike samples"
        )
    elif cells:
        notes.append(f"samples are equal in all {len(cells)} cells")
    bounds = {cell: plan.thresholds.get(about[0]["cells"][cell]["arm"], plan.threshold) for cell in cells}
    return Meeting(cells, repeats, warm, four, bounds, failed, notes)


def checked(sides: tuple[Process, Process], about: tuple[dict, dict]) -> list[str]:
    """Notes on what the trees share and do not. Raises ValueError if one of them runs the code of another place."""
    for side, found in zip(sides, about):
        own = (side.tree.folder / "harness" / "__init__.py").is_file() and not Path(
            found["harness"]
        ).resolve().is_relative_to(side.tree.folder)
        sources = [found["harness"], *(cell["source"] for cell in found["cells"].values())]
        if own or any(map(side.tree.leak, sources)):
            wrong = found["harness"] if own else next(filter(side.tree.leak, sources))
            raise ValueError(
                f"{side.tree} runs code of {wrong}, not its own: it cannot be imported from its tree; "
                "is its package installed from another folder?"
            )
    old, new = (found["cells"] for found in about)
    notes = [
        f"{name} alone has {cell}"
        for name, a, b in (("OLD", old, new), ("NEW", new, old))
        for cell in a
        if cell not in b
    ]
    if old and all(cell in new and old[cell]["made"] is not None and old[cell]["made"] == new[cell]["made"]
                   for cell in old):
        notes.append("the sources of both trees are equal")
    if about[0]["rows"] != about[1]["rows"]:
        raise ValueError(f"the trees time {about[0]['rows']} and {about[1]['rows']} rows: give --rows")
    return notes


def block(sides: tuple[Process, Process], meeting: Meeting, fours: int, number: int, seconds: float) -> Block:
    """Times in turns. seconds: end after the four that is at work then."""
    begun, used, clock = time.perf_counter(), _spent(sides), _clock()
    found: dict[str, list[tuple[dict, dict]]] = {cell: [] for cell in meeting.cells}
    for four in range(fours):
        for place, cell in enumerate(meeting.cells):
            order = (0, 1, 1, 0) if (number + four + place) % 2 == 0 else (1, 0, 0, 1)
            runs: tuple[list[dict], list[dict]] = ([], [])
            for k in order:
                run = alone(sides[k], "timed", cell=cell, repeats=meeting.repeats[cell])
                if "error" in run:
                    raise ValueError(f"{cell} fails in {sides[k].tree}, though it ran before: {run['error']}")
                runs[k].append(run)
            one, other = ({m: sum(run[m] for run in side) for m in side[0]} for side in runs)
            found[cell].append((one, other))
        if time.perf_counter() - begun > seconds:
            break
    busy = None
    if clock and (after := _clock()):
        total = after[1] - clock[1]
        own = (_spent(sides) - used) * os.sysconf("SC_CLK_TCK")
        busy = min(1.0, max(0.0, (total - (after[0] - clock[0]) - own) / total)) if total else None
    measures = [
        m for m in ("instructions", "cpu", "wall") if all(m in x for pairs in found.values() for p in pairs for x in p)
    ]
    logs = {
        cell: {m: median(log(max(1e-9, new[m])) - log(max(1e-9, old[m])) for old, new in pairs) for m in measures}
        for cell, pairs in found.items()
    }
    each = {
        cell: {
            name: median(p[k]["cpu"] for p in pairs) / 2 / meeting.repeats[cell]
            for k, name in enumerate(("old", "new"))
        }
        for cell, pairs in found.items()
    }
    return Block(logs, each, busy, os.getloadavg()[0] if hasattr(os, "getloadavg") else None)


def _clock() -> tuple[int, int] | None:
    """Ticks of the machine's processors, idle and in all; None where it does not say."""
    try:
        return ticks()
    except OSError:
        return None


def _spent(sides: Sequence[Process]) -> float:
    """CPU seconds of both processes and of this one so far."""
    return sum(alone(side, "spent")["cpu"] for side in sides) + time.process_time()


def fought(
    trees: tuple[Tree, Tree], plan: Plan, told: Callable[[int, str], None] = lambda planned, label: None
) -> Contest:
    """The contest; `told` hears after each block how many are planned, and what is known.

    Raises ValueError if a tree cannot take part, or if five blocks take longer than there is time.
    """
    begun, meeting, judgement = time.perf_counter(), None, None
    made: list[Block] = []
    allowed, blocks, fours, after = plan.minutes * 60, FEWEST_PROCESSES, 1, looks(FEWEST_PROCESSES)
    while len(made) < blocks:
        started = time.perf_counter()
        with pair(trees, plan.settings()) as (sides, about):
            loaded = time.perf_counter() - started
            if meeting is None:
                meeting = meet(sides, about, plan)
                if not meeting.cells:
                    return Contest(None, [], 0, meeting.failed, meeting.notes, time.perf_counter() - begun)
                blocks, fours = _planned(loaded + meeting.warm, meeting, allowed, plan)
                after = looks(blocks)
            else:
                for cell in meeting.cells:
                    if failing := next(
                        (x["error"] for x in both(sides, "timed", cell=cell, repeats=1) if "error" in x), ""
                    ):
                        raise ValueError(f"{cell} fails, though it ran before: {failing}")
            left = allowed - (time.perf_counter() - begun)
            made.append(block(sides, meeting, fours, len(made), left))
        late = (time.perf_counter() - begun) * (1 + 1 / len(made)) > allowed and len(made) >= FEWEST_PROCESSES
        if len(made) >= 2:
            logs = {cell: {m: [b.logs[cell][m] for b in made] for m in made[0].logs[cell]} for cell in meeting.cells}
            judgement = judged(logs, meeting.bounds, plan.threshold, len(after), plan.device)
        told(blocks, _label(made, judgement))
        if late or len(made) in after and judgement and judgement.end != "not shown":
            break
    assert meeting is not None
    return Contest(judgement, made, blocks, meeting.failed, meeting.notes, time.perf_counter() - begun)


def _label(made: list[Block], judgement: Judged | None) -> str:
    busy = "" if made[-1].busy is None else f", others took {made[-1].busy:.0%} of the machine"
    found = judgement.whole[judgement.measure] if judgement else None
    return f"a pair of processes{busy}" + (
        f"; NEW takes {found.value:.3f} ({found.low:.3f} to {found.high:.3f}) times as long" if found else ""
    )


def _planned(start: float, meeting: Meeting, allowed: float, plan: Plan) -> tuple[int, int]:
    """How many blocks, and how many fours in each. start: seconds until a pair of processes is ready."""
    room = allowed * RESERVE
    if FEWEST_PROCESSES * (start + meeting.four) > room:
        need = FEWEST_PROCESSES * (start + meeting.four) / RESERVE / 60
        raise ValueError(
            f"the fewest blocks that decide, {FEWEST_PROCESSES}, would take {need:.1f} min, "
            f"more than --minutes {plan.minutes:g}: give --only ARM, fewer --rows, or more minutes"
        )
    fours = max(1, int((room / BLOCKS - start) / meeting.four))
    return max(FEWEST_PROCESSES, int(room / (start + fours * meeting.four))), fours
