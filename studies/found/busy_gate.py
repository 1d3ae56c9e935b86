"""Contests on a busy machine: of slower copies of the sources, and of equal ones. Claims gate.busy_power and gate.busy_false_alarm."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest

from harness.claims import claim
from harness.measured import column, once
from harness.random import Stream, integers, uniform
from harness.spec import ROOT
from harness.store import Store
from harness.study import Study
from harness.turns_judge import judged, looks
from studies.found.busy_plant import PLANT, SLOWER, half_busy
from studies.found.planted import NOTHING, copied

CONTESTS = 12                    # of each kind
MINUTES = 5.0                    # of a contest, at most
SIMULATED = 5000
MODULES = ("harness.turns", "harness.loop")
NAME, COLUMNS = (
    "contest",
    (
        "kind",
        "end",
        "code",
        "seconds",
        "pairs",
        "planned",
        "low",
        "value",
        "high",
        "wall",
        "busy",
        "load",
        "burner",
        "samples_equal",
    ),
)
PAIRS, PAIR_COLUMNS = "pairs of processes", ("pair", "cell", "cpu", "wall")
SHARE, SHARE_COLUMNS = "what was planted", ("share", "seconds")

def contest(old: Path, new: Path) -> dict:
    """The last line of `ssmd-bench contest`, run as users run it."""
    words = [
        sys.executable,
        "-m",
        "harness",
        "contest",
        str(old),
        str(new),
        "studies/busy_gate.py",
        "--rows",
        "1",
        "--minutes",
        f"{MINUTES:g}",
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if not done.stdout:
        raise RuntimeError(f"a contest ended without an answer, code {done.returncode}: {done.stderr[-1000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def planted_share() -> None:
    """Print what the repeated steps add to the CPU time of sampling, in this process, whose sources hold the plant; and the seconds that were looked at."""
    from harness import loop
    from studies.busy_gate import STUDY

    torch.set_num_threads(1)
    total, work = 0.0, loop.WORK    # type: ignore[attr-defined]
    for turn in range(21):
        begun = time.thread_time()
        for cell in STUDY.cells():
            loop.sample(cell.sampler, cell.heated(), cell.prompts()[:1], STUDY.seed, 1)
        if turn:    # the first is cold
            total += time.thread_time() - begun
        else:
            work.update(extra=0.0)
    print(json.dumps([work["extra"] / (total - work["extra"]), total]))


def _share(tree: Path) -> list[list]:
    call = "from studies.found import busy_gate; busy_gate.planted_share()"
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=tree, env=_alone(tree), capture_output=True, text=True, check=True
    )
    return [json.loads(done.stdout.splitlines()[-1])]


def _alone(tree: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def measure(study: Study, store: Store) -> list[dict]:
    """A record of each contest, and one of its pairs of processes; kinds alternate, and what is stored is not made again."""
    work, cells = store.folder / "trees", [r for r in store.of("counted") if r["status"] == "done"]
    equal, other, slower = (
        copied(plant, (work / name).resolve())
        for plant, name in ((NOTHING, "equal"), (NOTHING, "other"), (PLANT, "slower"))
    )
    made = [
        once(
            store,
            study.name,
            SHARE,
            SHARE_COLUMNS,
            lambda: _share(slower),
            cells,
            MODULES,
            edits=[list(e) for e in PLANT.edits],
        )
    ]
    print(f"planted: {made[0]['rows'][0][0]:.1%} of CPU time")
    for number in range(CONTESTS):
        for kind, new in (("slower", slower), ("equal", other)):
            pairs: list[list] = []

            def row(new: Path = new, kind: str = kind, pairs: list[list] = pairs) -> list[list]:
                with half_busy() as burner:
                    found = contest(equal, new)
                whole = found["whole"]
                pairs += [
                    [k, cell, own["cpu"], own["wall"]]
                    for k, block in enumerate(found["blocks"])
                    for cell, own in block.items()
                ]
                return [
                    [
                        kind,
                        found["end"],
                        found["code"],
                        found["seconds"],
                        found["pairs"],
                        found["planned"],
                        *(whole["cpu"][x] for x in ("low", "value", "high")),
                        whole["wall"]["value"],
                        found["busy"],
                        found["load"],
                        burner,
                        any(note.startswith("samples are equal") for note in found["notes"]),
                    ]
                ]

            settings = {"kind": kind, "number": number, "minutes": MINUTES, "slower": SLOWER}
            made.append(once(store, study.name, NAME, COLUMNS, row, cells, MODULES, **settings))
            if pairs:
                made.append(
                    once(store, study.name, PAIRS, PAIR_COLUMNS, lambda pairs=pairs: pairs, cells, MODULES, **settings)
                )
            print(f"{kind}, contest {number}: {dict(zip(COLUMNS, made[-1 - bool(pairs)]['rows'][0]))}", flush=True)
    return made


def simulated(blocks: list[dict[str, dict[str, float]]], planned: int, trials: int = SIMULATED) -> int:
    """In how many contests of equal trees a slow-down is seen. blocks: of equal trees, by cell and measure; each contest draws its own and exchanges OLD and NEW at random."""
    row, lane = torch.arange(trials), torch.arange(planned)
    drawn = integers(0, row, Stream.RESAMPLE, lane, len(blocks)).numpy()                           # (trials, planned)
    sign = np.where(uniform(0, row, Stream.RESAMPLE, 2**32 + lane).numpy() < 0.5, -1.0, 1.0)        # (trials, planned)
    table = {cell: {m: np.array([b[cell][m] for b in blocks]) for m in own} for cell, own in blocks[0].items()}
    alarms, at = 0, looks(planned)
    for pick, way in zip(drawn, sign):
        for n in at:
            logs = {cell: {m: (x[pick[:n]] * way[:n]).tolist() for m, x in own.items()} for cell, own in table.items()}
            end = judged(logs, dict.fromkeys(logs, 1.03), 1.03, len(at)).end
            alarms += end == "regression"
            if end != "not shown":
                break
    return alarms


def claims(store: Store, command: str) -> list[dict]:
    """gate.busy_power and gate.busy_false_alarm, with exact binomial intervals, of what is stored: fewer contests if the run was broken off."""
    keys = [r["key"] for r in store.of("counted") if r["status"] == "done"]
    latest = {r["key"]: r for r in store.of("measured")}.values()
    contests = {
        kind: [r for r in latest if r["name"] == NAME and r["settings"]["kind"] == kind] for kind in ("slower", "equal")
    }
    planted = next((r for r in latest if r["name"] == SHARE), None)
    if not all(contests.values()) or planted is None:
        print("gate.busy_*: no claim, no contests were run; run the study without --only")
        return []
    ends = {kind: [column(r, "end")[0] for r in found] for kind, found in contests.items()}
    slow, same = (ends[kind].count("regression") for kind in ("slower", "equal"))
    pairs = [blocks for r in latest if r["name"] == PAIRS and r["settings"]["kind"] == "equal" for blocks in _blocks(r)]
    planned = int(np.median([column(r, "planned")[0] for r in contests["equal"]]))
    alarms = simulated(pairs, planned)
    alike, made_up = (binomtest(k, n).proportion_ci() for k, n in ((same, len(ends["equal"])), (alarms, SIMULATED)))
    share, wolf = (
        binomtest(slow, len(ends["slower"])).proportion_ci(),
        f"{alarms / SIMULATED:.2%} ({made_up.low:.2%} to {made_up.high:.2%})",
    )
    said = (
        f"{planted['rows'][0][0]:.1%} more CPU time planted, {MINUTES:g} minutes at most; {_about(contests['slower'])}"
    )
    false = (
        f"false alarms: {same} of {len(ends['equal'])} contests of equal trees ({alike.low:.1%} to {alike.high:.1%}), {wolf} of {SIMULATED} contests of {planned} pairs drawn "
        f"from their {len(pairs)} with OLD and NEW exchanged at random"
    )
    return [
        claim(
            "gate.busy_power",
            slow / len(ends["slower"]),
            share.low,
            share.high,
            "share of contests",
            len(ends["slower"]),
            command,
            keys,
            f"{said}; {false}",
            MODULES,
        ),
        claim(
            "gate.busy_false_alarm",
            alarms / SIMULATED,
            made_up.low,
            made_up.high,
            "share of simulated contests",
            SIMULATED,
            command,
            keys,
            f"contests of {planned} pairs, drawn from the {len(pairs)} of {len(ends['equal'])} contests of equal trees, of which {same} raised an alarm; "
            f"{_about(contests['equal'])}",
            MODULES,
        ),
    ]


def _blocks(record: dict) -> list[dict[str, dict[str, float]]]:
    found: dict[int, dict[str, dict[str, float]]] = {}
    for pair, cell, cpu, wall in record["rows"]:
        found.setdefault(pair, {})[cell] = {"cpu": cpu, "wall": wall}
    return list(found.values())


def _about(records: list[dict]) -> str:
    """How long contests took, and how busy the machine was."""
    seconds, value, others, load, burner = (
        [column(r, name)[0] for r in records] for name in ("seconds", "value", "busy", "load", "burner")
    )
    text = f"{min(seconds):.0f} to {max(seconds):.0f} s a contest, median {np.median(seconds):.0f}; CPU ratios {min(value):.3f} to {max(value):.3f}"
    known = [x for x in others if x is not None]
    return text + (
        f"; others took {np.mean(known):.0%} of the machine ({min(known):.0%} to {max(known):.0%}), load average {np.mean(load):.1f}, "
        f"own burner in {sum(burner)} of {len(burner)}"
        if known
        else ""
    )
