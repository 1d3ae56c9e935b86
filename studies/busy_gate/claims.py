"""Contests on a busy machine: of slower copies of the sources, and of equal ones. Claims gate.busy_power and
gate.busy_false_alarm."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest

from harness.claims.claim import claim
from harness.contest.judge import judged, looks
from harness.random import Stream, integers, uniform
from harness.records.measured import cached_table, column
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.spec import ROOT
from harness.study import Study
from studies.busy_gate.busy_plant import PLANT, SLOWER, half_busy
from studies.planted.claims import NOTHING, copied

CONTESTS = 12                    # of each kind
MINUTES = 5.0                    # of a contest, at most
SIMULATED = 5000
KINDS = ("slower", "equal")
NAME = "contest"
COLUMNS = ("kind", "end", "code", "seconds", "pairs", "planned", "low", "value", "high", "wall", "busy", "load",
           "burner", "samples_equal", "nice")
UNRECORDED = -5                  # niceness of the contests whose records do not hold it; pilots were left out
PAIRS, PAIR_COLUMNS = "pairs of processes", ("pair", "cell", "cpu", "wall")
SHARE, SHARE_COLUMNS = "what was planted", ("share", "seconds")

def contest(old: Path, new: Path) -> dict:
    """The last line of `ssmd-bench contest`, run as users run it."""
    words = [sys.executable, "-m", "ssmd_bench", "contest", str(old), str(new), "studies/busy_gate"]
    words += ["--rows", "1", "--minutes", f"{MINUTES:g}"]
    running = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, said = running.communicate()
    except BaseException:    # we are stopped: it must be asked to end, since a kill would leave its scratch files
        running.terminate()
        running.communicate()
        raise
    if running.returncode == 2 and "more than --minutes" in said:    # too busy for the fewest pairs: not found
        return {"end": "refused", "code": 2, "notes": [], "blocks": []}
    if not out:
        raise RuntimeError(f"a contest ended without an answer, code {running.returncode}: {said[-1000:]}")
    return json.loads(out.splitlines()[-1])


def planted_share() -> None:
    """Print what the repeated steps add to the CPU time of sampling, in this process, whose sources hold the plant; and
    the seconds that were looked at."""
    from harness.sampling import loop
    from studies.busy_gate.study import STUDY

    torch.set_num_threads(1)
    total, work = 0.0, loop.WORK    # type: ignore[attr-defined]
    for turn in range(21):
        begun = time.thread_time()
        for cell in cells_of(STUDY):
            loop.sample(cell.sampler, cell.wrapped_networks(), cell.prompts()[:1], STUDY.seed, 1)
        if turn:    # the first is cold
            total += time.thread_time() - begun
        else:
            work.update(extra=0.0)
    print(json.dumps([work["extra"] / (total - work["extra"]), total]))


def _share(tree: Path) -> list[list]:
    call = "from studies.busy_gate import claims; claims.planted_share()"
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=tree, env=_alone(tree), capture_output=True, text=True, check=True
    )
    return [json.loads(done.stdout.splitlines()[-1])]


def _alone(tree: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def measure(study: Study, store: Store) -> list[dict]:
    """A record of each contest, and one of its pairs; kinds alternate, and what is stored is not made again."""
    work, cells = store.work() / "trees", [r for r in store.of("counted") if r["status"] == "done"]
    plants = {"equal": NOTHING, "other": NOTHING, "slower": PLANT}
    tree = {name: copied(plant, (work / name).resolve()) for name, plant in plants.items()}
    edits = [list(edit) for edit in PLANT.edits]
    made = [cached_table(store, study.name, SHARE, SHARE_COLUMNS, lambda: _share(tree["slower"]), cells, edits=edits)]
    print(f"planted: {made[0]['rows'][0][0]:.1%} of CPU time")
    for number in range(CONTESTS):
        for kind, new in zip(KINDS, (tree["slower"], tree["other"])):
            pairs: list[list] = []

            def rows(new: Path = new, kind: str = kind, pairs: list[list] = pairs) -> list[list]:
                with half_busy() as burner:
                    found = contest(tree["equal"], new)
                pairs += _pairs(found)
                return [_row(kind, found, burner)]

            settings = {"kind": kind, "number": number, "minutes": MINUTES, "slower": SLOWER}
            record = cached_table(store, study.name, NAME, COLUMNS, rows, cells, **settings)
            print(f"{kind}, contest {number}: {dict(zip(COLUMNS, record['rows'][0]))}", flush=True)
            made.append(record)
            if pairs:
                made.append(cached_table(store, study.name, PAIRS, PAIR_COLUMNS, pairs.copy, cells, **settings))
    return made


def _pairs(found: dict) -> list[list]:
    cells = [(k, cell, own) for k, block in enumerate(found["blocks"]) for cell, own in block.items()]
    return [[k, cell, own["cpu"], own["wall"]] for k, cell, own in cells]


def _row(kind: str, found: dict, burner: bool) -> list:
    """As COLUMNS say; what a contest that was refused does not have is None."""
    measures = found.get("whole") or {"cpu": {}, "wall": {}}
    ratios = [*(measures["cpu"].get(end) for end in ("low", "value", "high")), measures["wall"].get("value")]
    about = [found.get(name) for name in ("seconds", "pairs", "planned")]
    same = any(note.startswith("samples are equal") for note in found["notes"])
    load, nice = [found.get(name) for name in ("busy", "load")], os.getpriority(os.PRIO_PROCESS, 0)
    return [kind, found["end"], found["code"], *about, *ratios, *load, burner, same, nice]


def simulated(blocks: list[dict[str, dict[str, float]]], planned: int, trials: int = SIMULATED) -> int:
    """In how many contests of equal trees a slow-down is seen. blocks: of equal trees, by cell and measure; each
    contest draws its own and exchanges OLD and NEW at random."""
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
    """gate.busy_power and gate.busy_false_alarm, with exact binomial intervals, of what is stored: fewer contests if
    the run was broken off."""
    keys = [r["key"] for r in store.of("counted") if r["status"] == "done"]
    latest = {r["key"]: r for r in store.of("measured")}.values()
    slower, equal = ([r for r in latest if r["name"] == NAME and r["settings"]["kind"] == kind] for kind in KINDS)
    shares = [r["rows"][0][0] for r in latest if r["name"] == SHARE]
    if not slower or not equal or not shares:
        print("gate.busy_*: no claim, no contests were run; run the study without --only")
        return []
    seen = sum(column(r, "end")[0] == "regression" and column(r, "seconds")[0] <= 60 * MINUTES for r in slower)
    wolf = sum(column(r, "end")[0] == "regression" for r in equal)
    pairs = [b for r in latest if r["name"] == PAIRS and r["settings"]["kind"] == "equal" for b in _blocks(r)]
    planned = int(np.median([x for r in equal if (x := column(r, "planned")[0])]))
    alarms = simulated(pairs, planned)
    power, real, drawn = (
        binomtest(k, n).proportion_ci() for k, n in ((seen, len(slower)), (wolf, len(equal)), (alarms, SIMULATED))
    )
    made_of = f"contests of {planned} pairs, drawn from the {len(pairs)} of {len(equal)} contests of equal trees"
    false = (
        f"false alarms: {wolf} of {len(equal)} contests of equal trees ({real.low:.1%} to {real.high:.1%}), and "
        f"{alarms} of {SIMULATED} simulated {made_of} with OLD and NEW exchanged at random "
        f"({drawn.low:.2%} to {drawn.high:.2%})"
    )
    planted = f"{shares[-1]:.1%} more CPU time planted, found within {MINUTES:g} minutes; {_about(slower)}; {false}"
    simulation = f"{made_of}, of which {wolf} raised an alarm; {_about(equal)}"
    return [
        claim("gate.busy_power", seen / len(slower), power.low, power.high, "share of contests", len(slower), command,
              keys, planted),
        claim("gate.busy_false_alarm", alarms / SIMULATED, drawn.low, drawn.high, "share of simulated contests",
              SIMULATED, command, keys, simulation)]


def _blocks(record: dict) -> list[dict[str, dict[str, float]]]:
    found: dict[int, dict[str, dict[str, float]]] = {}
    for pair, cell, cpu, wall in record["rows"]:
        found.setdefault(pair, {})[cell] = {"cpu": cpu, "wall": wall}
    return list(found.values())


def _about(records: list[dict]) -> str:
    """How long contests took, what they measured, and how busy the machine was."""
    told = ("seconds", "value", "busy", "load", "burner")
    known = {name: [x for r in records if (x := column(r, name)[0]) is not None] for name in told}
    took, ratio, busy, load, burner = known.values()
    nice = sorted({column(r, "nice")[0] if "nice" in r["columns"] else UNRECORDED for r in records})
    if not took:
        return "all refused, for want of time"
    said = [f"{min(took):.0f} to {max(took):.0f} s a contest, median {np.median(took):.0f}",
            f"CPU ratios {min(ratio):.3f} to {max(ratio):.3f}"]
    if busy:
        said += [f"others took {np.mean(busy):.0%} of the machine ({min(busy):.0%} to {max(busy):.0%})"]
        said += [f"load average {np.mean(load):.1f}, own burner in {sum(burner)} of {len(records)}"]
    said += [f"at nice {' and '.join(map(str, nice))}"]
    if any("nice" not in r["columns"] for r in records):
        said += ["pilots left out"]
    if len(took) < len(records):
        said += [f"{len(records) - len(took)} refused, for want of time, and counted as not found"]
    return "; ".join(said)
