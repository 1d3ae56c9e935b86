"""Faults planted in copies of the sources, judged by the gate. Claims planted.{caught_share, sleep_caught},
gate.false_alarm.measured.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.checks.gate import TIERS, Comparison, compare
from harness.checks.rules import Rules
from harness.checks.side import Side, side
from harness.claims.claim import claim
from harness.records.measured import cached_table, column, newest
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.run.clock import busy
from harness.run.runner import run
from harness.run.timing import repeated
from harness.spec import ROOT
from harness.stats.intervals import share_interval
from harness.study import Study, Timing

PLAN = Timing(rows=1)                # of a side of a comparison of times
SEEDS = (0, 1, 2)                    # of the cells that are sampled
AA, SLEPT = 50, 10                   # comparisons of two copies alike, and of one with another that sleeps
ROOMS = ("harness", "baselines", "ssmd", "studies")
NAME, COLUMNS = "planted faults", ("plant", "seed", "samples", "code", "failing", "first")
BLOCK, TIMES = "comparisons of times", ("plant", "block", "turned", "cell", "ratio", "low", "high", "code", "busy")


class Plant(NamedTuple):
    name: str
    module: str
    edits: tuple[tuple[str, str], ...]       # old text, which is there once, and new
    samples: str = "same-environment"        # the rule that is to see it
    visible: bool = True                     # to counts, quality or samples; else to times alone


NET, MODEL, SAMPLER = "harness.nets.transformer", "ssmd.model", "ssmd.sampler"
NOTHING = Plant("nothing", NET, (), visible=False)
SLEEP = Plant("a sleep of 10 % in a draft pass", NET, (
    ("h = self.hidden(x)",
     "import time; begun = time.perf_counter(); h = self.hidden(x); time.sleep(0.1 * (time.perf_counter() - begun))"),),
              visible=False)
PLANTS = (
    Plant("hidden states not kept for the verify pass", SAMPLER,
          (("net.verify(hidden, y", "net.verify(net.draft(rows.x, at)[1], y"),)),
    Plant("keys and values not kept between verify passes", MODEL, (("return hidden.begin(self._made_of(y, order), at)",
                                                                     "return torch.zeros_like(at[:, 0])"),)),
    Plant("head evaluated at every place", NET, (
        ("self.logits(h if at is None else gather_rows(h, at))",
         "self.logits(h) if at is None else gather_rows(self.logits(h), at)"),
        ("block_flops(c.width, length) + heads * head_flops", "block_flops(c.width, length) + length * head_flops"))),
    Plant("window one too small", "harness.schedules.window",
          (("width.long().clamp_min(1)", "(width.long() - 1).clamp_min(1)"),)),
    Plant("residual of the target dropped", MODEL, (("+ added if self.config.residual else c",
                                                     "* 0 + c"),)),
    Plant("draws in float32", "harness.random",
          (("    total = cdf[", "    cdf, u = cdf.float(), u.float()\n    total = cdf["),), samples="always"),
    Plant("batches without a queue", "harness.sampling.loop",
          (("if queue or not len(live.slots)", "if not len(live.slots)"),)),
    SLEEP,
    NOTHING,
)


def copied(plant: Plant, folder: Path) -> Path:
    """A copy of the sources with the plant in it; the checkpoints are linked."""
    shutil.rmtree(folder, ignore_errors=True)
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room,
                        ignore=shutil.ignore_patterns("__pycache__", "checkpoints", "kept.zip", "proofs.jsonl"))
    (folder / "ssmd/checkpoints").symlink_to(ROOT / "ssmd/checkpoints")
    path = folder / f"{plant.module.replace('.', '/')}.py"
    text = path.read_text()
    for old, new in plant.edits:
        assert text.count(old) == 1, (f"the plant {plant.name!r} no longer applies to {plant.module}: "
                                      f"{text.count(old)} times {old!r}")
        text = text.replace(old, new)
    path.write_text(text)
    return folder


def _within(tree: Path, call: str) -> str:
    """What a call of this module prints in a fresh process whose sources are those of `tree`."""
    done = subprocess.run([sys.executable, "-c", f"from studies.planted import claims; claims.{call}"], cwd=tree,
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{call} failed in {tree}: {done.stderr[-2000:]}")
    return done.stdout


def sampled(folder: str, n: int, seeds: tuple[int, ...]) -> None:
    """Count and score both studies under every seed, by the code of this process."""
    from studies.planted.study import STUDY, WIDE

    for seed in seeds:
        for study, rows in ((STUDY, n), (WIDE, n * WIDE.n // STUDY.n)):
            run(replace(study, seed=seed, n=rows), Path(folder), timing=False)


def judged(base: Path, new: Path, plant: Plant) -> list[list]:
    """One row for each seed and rule on samples."""
    before, after, rows = side(Store(base)), side(Store(new)), []
    for seed in sorted({r["cell"]["seed"] for r in before.counted.values()}):
        ours = before._replace(counted={key: r for key, r in before.counted.items() if r["cell"]["seed"] == seed})
        for samples in ("same-environment", "always"):
            found = compare(ours, after, Rules(samples=samples))
            failing = [v for v in found.verdicts if v.fails]
            tiers = Counter(v.tier for v in failing)
            rows.append([plant.name, seed, samples, found.code,
                         ", ".join(f"{tier} {tiers[tier]}" for tier in TIERS if tiers[tier]), failing[0].detail
                         if failing else ""])
    return rows


def measure(study: Study, store: Store) -> list[dict]:
    """What the gate says of each plant."""
    work = store.work() / "planted"

    def rows() -> list[list]:
        shutil.rmtree(work, ignore_errors=True)
        sampled(str(work / "base"), study.n, SEEDS)
        made = []
        for k, plant in enumerate(PLANTS):
            _within(copied(plant, work / f"tree {k}"),
                    f"sampled({str((work / str(k)).resolve())!r}, {study.n}, {SEEDS})")
            made += judged(work / "base", work / str(k), plant)
            print(f"{plant.name}: exit codes {', '.join(str(row[3]) for row in made if row[0] == plant.name)}")
        return made

    return [cached_table(store, study.name, NAME, COLUMNS, rows, store.of("counted")[:1], n=study.n, seeds=list(SEEDS))]


def shown(process: int) -> None:
    """Print the seconds of the first cell of each arm by key, timed in this process."""
    from studies.planted.study import STUDY

    found = repeated(cells_of(STUDY)[: len(STUDY.arms)], process, PLAN.rows, PLAN.repeats)
    assert not any(t.reason for t in found), found
    print(json.dumps({t.key: t.seconds for t in found}))


def clocked(tree: Path, process: int) -> dict[str, list[float]]:
    """Seconds of a fresh process, by key."""
    return json.loads(_within(tree, f"shown({process})").splitlines()[-1])


def compared(counted: dict[str, dict], *sides: list[dict[str, list[float]]]) -> Comparison:
    """The gate on the times of two sides, each a list of processes with seconds by key; counted: records by key, the
    same for both.
    """
    def timed(key: str, processes: list[dict]) -> list[dict]:
        return [{"machine": "here", "rows": PLAN.rows, "process": k, "seconds": seconds[key]} for k,
                seconds in enumerate(processes)]

    keys = sides[0][0].keys()
    return compare(*(Side(name, {key: counted[key] for key in keys}, {}, {key: timed(key, found) for key in keys})
                     for name, found in zip(("BASE", "NEW"), sides)), Rules())


def block(plant: Plant, trees: tuple[Path, Path], number: int, counted: dict[str, dict]) -> list[list]:
    """Two sides timed in turns, process after process: a row for each cell. Two copies alike are judged in both
    directions.
    """
    others, sides = busy(), ([], [])
    for process in range(number * PLAN.processes, (number + 1) * PLAN.processes):
        for tree, found in zip(trees, sides):
            found.append(clocked(tree, process))
    rows = []
    for turned in (False, True) if plant is NOTHING else (False,):
        found = compared(counted, *(sides[::-1] if turned else sides))
        rows += [[plant.name, number, turned, v.cell, v.value, v.low, v.high, found.code, others]
                 for v in found.verdicts if v.tier == "time"]
    return rows


def _blocks(store: Store, plant: Plant, count: int) -> list[dict]:
    """The comparisons of a plant with the unharmed code; those that are stored are not made again."""
    work, counted = store.work() / "planted", {r["key"]: r for r in store.of("counted") if r["status"] == "done"}
    trees = copied(NOTHING, work / "tree unharmed"), copied(plant, work / "tree timed")
    made = []
    for number in range(count):
        made.append(cached_table(store, "planted", BLOCK, TIMES,
                                 lambda number=number: block(plant, trees, number, counted),
                         list(counted.values()),
                         plant=plant.name, edits=[list(e) for e in plant.edits], block=number,
                         plan=[PLAN.processes, PLAN.rows, PLAN.repeats]))
        print(f"{plant.name}, block {number}: ratios "
              f"{', '.join(f'{x:.3f}' for x in column(made[-1], 'ratio', turned=False))}, exit code "
              f"{made[-1]['rows'][0][7]}")
    return made


def _share(name: str, good: int, n: int, unit: str, keys: list[str], note: str, command: str) -> dict:
    """With the interval of Clopper and Pearson."""
    v = share_interval(good, n)
    return claim(name, v.value, v.low, v.high, unit, n, command, keys, note)


def _times(records: list[dict]) -> tuple[list[int], str]:
    """The exit code of each comparison, and what the ratios and the machine were like."""
    codes = [found[0] for r in records for turned in (False, True) if (found := column(r, "code", turned=turned))]
    ratios, others = ([x for r in records for x in column(r, name, turned=False) if x is not None]
                      for name in ("ratio", "busy"))
    said = [f"{PLAN.processes} processes a side in turns, {len({*column(records[0], 'cell')})} cells",
            f"ratios {min(ratios):.3f} to {max(ratios):.3f}, median {np.median(ratios):.3f}"]
    return codes, "; ".join([*said, *([f"{np.mean(others):.0%} of the machine busy with other work"] if others
                                      else [])])


def claims(store: Store, command: str) -> list[dict]:
    """planted.caught_share, planted.sleep_caught and gate.false_alarm.measured, with the intervals of Clopper and
    Pearson.
    """
    record, keys = newest(store, NAME), [r["key"] for r in store.of("counted") if r["status"] == "done"]
    if record is None:
        print("planted.*: no claim, nothing was judged; run the study without --only")
        return []
    caught = {p.name: column(record, "code", plant=p.name, samples=p.samples) for p in PLANTS if p.visible}
    failing = {p.name: next(iter(column(record, "failing", plant=p.name, samples=p.samples))) for p in PLANTS
               if p.visible}
    every = [code != 0 for codes in caught.values() for code in codes]
    silent = [code for samples in ("same-environment", "always")
              for code in column(record, "code", plant=NOTHING.name, samples=samples)]
    note = "; ".join(f"{name}: {sum(map(bool, codes))} of {len(codes)} ({failing[name]})" for name,
                     codes in caught.items())
    made = [_share("planted.caught_share", sum(every), len(every), "share of plants and seeds", keys,
                   f"{note}; without a plant {sum(map(bool, silent))} of {len(silent)}", command)]
    slept, slow = _times(_blocks(store, SLEEP, SLEPT))
    made.append(_share("planted.sleep_caught", sum(code == 1 for code in slept), len(slept), "share of comparisons",
                       keys, f"{SLEEP.name}; {slow}", command))
    alike, same = _times(_blocks(store, NOTHING, AA // 2))
    made.append(_share("gate.false_alarm.measured", sum(code == 1 for code in alike), len(alike),
                       "share of comparisons of one code with itself", keys,
                       f"{len(alike) // 2} blocks, each in both directions; {same}", command))
    return made
