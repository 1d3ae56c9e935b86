"""Looks at kept cells by the unharmed code and by mutants of it. Claims prove.{mutants_refuted_share,
seconds_per_cell}.
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np

from harness.claims import claim as claims_of
from harness.claims.claim import claim
from harness.claims.rebuild import kept_runs
from harness.records.standing import PROVEN
from harness.records.store import Store
from harness.run.backend import each
from harness.run.progress import Progress
from harness.stats.intervals import ratio_interval, share_interval

COMMAND = "python -m studies.evidence"
JOBS = 2


def kind(record: dict) -> tuple:
    """What a cell is of, but for numbers: data, sampler, host, window, order, temperature, nucleus."""
    sampler = record["cell"]["sampler"]
    host = sampler.get("host", sampler)
    names = tuple((host.get(part) or {}).get("name") for part in ("window", "order"))
    return (
        record["cell"]["data"]["name"],
        sampler["name"],
        host["name"],
        *names,
        record["cell"]["temperature"] != 1,
        "nucleus" in record["cell"],
    )


def chosen() -> list[tuple[Path, str]]:
    """Run and key of two kept cells of each kind, the cheapest and the median by passes; the cheapest first."""
    kinds: dict[tuple, list[tuple[float, Path, str]]] = {}
    for run in kept_runs():
        for record in Store(run).latest("counted", "key").values():
            if record["status"] == "done" and not record["control"]:
                kinds.setdefault(kind(record), []).append((record["cost"]["executed_a"], run, record["key"]))
    return [(run, key) for _, run, key in sorted({cell for cells in kinds.values()
                                                  for cell in (min(cells), sorted(cells)[len(cells) // 2])})]


def looked_at(cells: list[tuple[Path, str]], until: bool) -> dict[str, str]:
    """Key -> "equal" or "differ" by the modules that are imported now; if `until`, up to the first that differs."""
    prove, recorded, store_of, study_of, commands, check, provenance = (
        importlib.import_module(f"harness.{name}")
        for name in ("run.prove", "run.recorded_cell", "records.store", "study", "cli._proving", "run.spot_check",
                     "records.provenance"))
    found: dict[str, str] = {}
    for run, key in cells:
        store = store_of.Store(run)
        record = store.latest("counted", "key")[(key,)]
        try:
            study = study_of.load_study(commands.study_of(store))
            cell = recorded.cell_of(record, study)
        except ValueError:    # a network that is not in the tree
            cell = None
        if cell is None:
            continue
        ids = check.drawn(key, provenance.tree(), record["cell"]["n"], known=prove.known_tokens(store, key))
        found[key] = prove.look(cell, ids, prove.known(store, record, prove.metrics_here(study)[0], ids)).verdict
        if until and found[key] == "differ":
            break
    return found


def judged(name: str, cells: list[tuple[Path, str]]) -> tuple[str, int, bool]:
    """Of a mutant: its name, how many cells were looked at, and whether one of them is refuted."""
    mutants = importlib.import_module("tests.conformance.test_mutants")
    with mutants.world(next(mutant for mutant in mutants.MUTANTS if mutant.name == name)):
        for known in [module for module in sys.modules if module.startswith("studies.")
                      and not __name__.startswith(module)]:
            del sys.modules[known]    # they hold samplers and networks of the world before
        seen = looked_at(cells, until=True)
    return name, len(seen), "differ" in seen.values()


def mutants() -> dict[str, bool]:
    """Name of each mutant, and whether a kept cell that the unharmed code proves is refuted."""
    cells, found = chosen(), {}
    progress = Progress(len(cells), "unharmed")
    for seen in each(looked_at, [([cell], False) for cell in cells], JOBS):
        found |= seen
        progress.tick(*([*seen.items()] or [("a cell", "without its networks")])[0])
    proven = [(run, key) for run, key in cells if found.get(key) == "equal"]
    print(f"{len(proven)} cells of {len(found)} that could be looked at are proven by the unharmed code")
    names = [mutant.name for mutant in importlib.import_module("tests.conformance.test_mutants").MUTANTS]
    progress, refuted = Progress(len(names), "mutants"), {}
    for name, looks, refuted[name] in each(judged, [(name, proven) for name in names], JOBS):
        progress.tick(f"{name}: {looks} cells", "refuted" if refuted[name] else "NOT SEEN")
    return refuted


def seconds() -> list[float]:
    """What the looks took that stand in the kept proofs, one a cell."""
    proofs = (proof for run in kept_runs() for proof in Store(run).of("proof"))
    return [proof["seconds"] for proof in proofs if proof["verdict"] == PROVEN and proof["rows"] == 16
            and proof["seconds"]]


def main() -> int:
    found = mutants()
    share, unseen = share_interval(sum(found.values()), len(found)), [name for name, refuted in found.items()
                                                                      if not refuted]
    note = "16 rows of two kept cells of each kind of setting, the cheapest and the median by passes" + (
        f"; not seen: {', '.join(unseen)}" if unseen else ""
    )
    rows = [claim("prove.mutants_refuted_share", share.value, share.low, share.high,
                  "share of the mutants of the conformance tests", share.n, COMMAND, [], note)]
    if times := seconds():
        v = ratio_interval(np.array(times), np.ones(len(times)))
        rows.append(claim("prove.seconds_per_cell", v.value, v.low, v.high, "seconds of a core, 16 rows", v.n, COMMAND,
                          [],
                          "looks of the kept proofs, two processes side by side"))
    claims_of.write("evidence", rows)
    print(json.dumps({"claims": len(rows), "refuted": sum(found.values()), "of": len(found)}), file=sys.stdout)
    return 0
