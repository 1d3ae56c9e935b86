"""False alarms and power of the gate's time tier, simulated. Claims gate.false_alarm, gate.power and, at the noise that
this machine showed, gate.{false_alarm, power}.here.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import binomtest
from torch import Tensor

from harness.checks.gate import compare
from harness.checks.rules import Rules
from harness.checks.side import COUNTS, Side
from harness.claims.claim import claim
from harness.random import Stream, uniform
from harness.records.measured import cached_table, column, newest
from harness.records.store import Store
from harness.study import Study, Timing

TRIALS, CELLS, SLOWER = 2000, 8, 1.15
NAME, COLUMNS = "false alarms and power", ("noise", "process", "repetition", "drift", "processes", "threshold",
                                           "slower", "flagged", "trials")
SPREAD = "spread of times"


class Noise(NamedTuple):
    """Standard deviations of logarithms."""

    process: float       # of a process, shared by its cells, and the same again of each cell in it
    repetition: float
    drift: float         # of the machine, from one process to the next


NOISE = {"quiet": Noise(0.01, 0.005, 0.005), "usual": Noise(0.02, 0.01, 0.01), "noisy": Noise(0.04, 0.02, 0.02)}


def normal(row: Tensor, lane: int, *shape: int) -> np.ndarray:
    """(rows, *shape) standard normal numbers, each lane its own."""
    count = int(np.prod(shape))
    u = uniform(0, row, Stream.RESAMPLE, lane * 2**32 + torch.arange(count))
    return torch.special.ndtri(u).view(len(row), *shape).numpy()


def seconds(noise: Noise, processes: int, repeats: int, trials: int = TRIALS) -> np.ndarray:
    """(trials, 2 sides, CELLS, processes, repeats): process k of one side after process k of the other, as runs are
    timed in turns.
    """
    row = torch.arange(trials)
    # (trials, 2, 1, processes)
    drift = noise.drift * normal(row, 0, processes, 2).reshape(trials, -1).cumsum(1).reshape(
        trials, 1, processes, 2
    ).transpose(0, 3, 1, 2)
    shared = noise.process * normal(row, 1, 2, 1, processes)
    own = noise.process * normal(row, 2, 2, CELLS, processes)
    each = noise.repetition * normal(row, 3, 2, CELLS, processes, repeats)
    held_up = uniform(0, row, Stream.RESAMPLE, 4 * 2**32 + torch.arange(each[0].size)).view(each.shape).numpy() < 0.05
    return np.exp((drift + shared + own)[..., None] + each) * np.where(held_up, 1.5, 1.0)


def flagged(times: np.ndarray, threshold: float) -> int:
    """In how many trials the gate sees a regression. times as `seconds` gives them."""
    same = {"arm": "made_up", "status": "done", "cost": {"calls": {}} | dict.fromkeys(COUNTS[1:], 0),
            "samples_sha256": ""}
    counted = {f"cell {c}": same | {"key": f"cell {c}", "cell": {"sampler": {"name": f"cell {c}"}, "data": {}}}
               for c in range(CELLS)}

    def side(name: str, found: np.ndarray) -> Side:
        timed = {f"cell {c}": [{"machine": "here", "rows": 1, "process": k, "seconds": x.tolist()} for k,
                               x in enumerate(found[c])] for c in range(CELLS)}
        return Side(name, counted, {}, timed)

    return sum(compare(side("BASE", base), side("NEW", new), Rules(time_ratio=threshold)).code == 1 for base,
               new in times)


def _rows(noises: dict[str, Noise]) -> list[list]:
    found, (usual, default) = [], (Timing().processes, Rules().time_ratio)
    for name, noise in noises.items():
        for processes, threshold in {(usual, default), *((p, default) for p in (5, 8, 12)),
                                     *((usual, t) for t in (1.0, 1.05, 1.10))}:
            times = seconds(noise, processes, Timing().repeats)
            for slower in (1.0, SLOWER):
                made = times * np.ones((2, CELLS, 1, 1))
                made[:, 1, 0] *= slower
                found.append([name, *noise, processes, threshold, slower, flagged(made, threshold), TRIALS])
    return sorted(found)


def spread(store: Store) -> Noise:
    """What the timed cells of a run showed: variance components of log seconds, the part of a process and that of a
    repetition.
    """
    latest = store.latest("timed", "key", "process")
    cells = [[np.log(r["seconds"]) for (key, _), r in sorted(latest.items()) if key == cell]
             for cell in sorted({key for key, _ in latest})]
    within = np.mean([np.var(x, ddof=1) for cell in cells for x in cell])
    medians = np.array([[np.median(x) for x in cell] for cell in cells])                     # (cells, processes)
    between = max(0.0, np.mean(np.var(medians, axis=1, ddof=1)) - within / len(cells[0][0]))
    return Noise((between / 2) ** 0.5, within**0.5, 0.0)


def measure(study: Study, store: Store) -> list[dict]:
    """The table of the simulation, and the spread of times of this run where it was timed."""
    records, noises = store.of("counted")[:1], dict(NOISE)
    if store.of("timed"):
        here = cached_table(store, study.name, SPREAD,
                            ("process", "repetition", "drift"), lambda: [list(spread(store))],
                    records, times=len(store.of("timed")))
        noises["here"] = Noise(*here["rows"][0])
    return [cached_table(store, study.name, NAME, COLUMNS, lambda: _rows(noises), records,
                 noises={k: list(v) for k, v in noises.items()},
                 rule=[Timing().processes, Rules().time_ratio])]


def claims(store: Store, command: str) -> list[dict]:
    """gate.false_alarm and gate.power of the default rule at the usual noise; with .here, at the noise of this
    machine.
    """
    record, made = newest(store, NAME), []
    if record is None:
        print("gate.*: no claim, nothing was simulated; run the study without --only")
        return []
    others = [r["busy"] for r in store.of("timed") if r["busy"] is not None]
    for noise, suffix in (("usual", ""), ("quiet", ".quiet"), ("noisy", ".noisy"), ("here", ".here")):
        for name, slower in (("gate.false_alarm", 1.0), ("gate.power", SLOWER)):
            where = {"noise": noise, "slower": slower, "processes": Timing().processes, "threshold": Rules().time_ratio}
            if found := column(record, "flagged", **where):
                share, process = binomtest(found[0], TRIALS).proportion_ci(), column(record, "process", **where)[0]
                note = (f"{CELLS} cells, {Timing().processes} processes, threshold {Rules().time_ratio:g}, "
                        f"{process:.1%} noise of processes")
                note += ", one cell 15 % slower" if slower > 1 else ""
                note += (
                    f", timed while other work took {np.mean(others):.0%} of the machine"
                    if noise == "here" and others
                    else ""
                )
                made.append(claim(name + suffix, found[0] / TRIALS, share.low, share.high,
                                  "share of simulated comparisons", TRIALS, command, [record["key"]], note))
    return made
