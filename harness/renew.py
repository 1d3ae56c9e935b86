"""After a change of code that should change no sample: records stand again if some of their rows, sampled by the present code, are equal to the bit.

    ssmd-bench renew STUDY --out RUN [--rows 64]

A record whose tokens and costs (needed NFE A, B and C) of those rows come out the same is stored once more under the present code, with
`renewed: {"rows", "code"}`; one that differs is left as it is, and the next run of the study samples it anew. Claims say which of their records were renewed.
What cannot be seen in some rows alone is taken over as it was: what the device executed, seconds, and rows beyond those looked at.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.backend import each
from harness.cell import Cell
from harness.count import cost_of, sampled
from harness.machine import checked, machine
from harness.progress import Progress
from harness.spec import brief, from_json, to_json
from harness.store import Store
from harness.study import Study


def renew(study: Study, folder: Path, rows: int, jobs: int = 1) -> dict:
    """How many records were renewed, differ, were fresh already, or are of no arm that the study has now."""
    store, tally, stale = Store(folder), {"renewed": 0, "differ": 0, "fresh": 0, "unknown": 0}, {}
    for (key,), record in store.latest("counted", "key").items():
        if record["status"] != "done" or not (store.has("samples", key) and store.has("costs", key)):
            continue
        cell = cell_of(record, study)
        if cell is None:
            tally["unknown"] += 1
        elif record["code"] == cell.code():
            tally["fresh"] += 1
        else:
            stale[key] = cell, record
    progress, here = Progress(len(stale), "renew"), machine("cpu")["id"]
    for key, samples, costs in each(_again, ((cell, min(rows, cell.study.n)) for cell, _ in stale.values()), jobs):
        cell, record = stale[key]
        same = np.array_equal(samples, store.get("samples", key)[: len(samples)]) and np.array_equal(costs, store.get("costs", key)[: len(samples)])
        if same:
            about = {k: v for k, v in record.items() if k not in ("schema", "time")}
            store.append(about | {"code": cell.code(), "renewed": {"rows": len(samples), "code": record["code"], "machine": here}})
        tally["renewed" if same else "differ"] += 1
        progress.tick(f"{record['arm']}: {brief(record['cell']['sampler'])}", "renewed" if same else "differs")
    return tally


def cell_of(record: dict, study: Study) -> Cell | None:
    """The cell that a record is of; None if no arm of the study makes it."""
    about = record["cell"]
    arm = next((arm for arm in study.arms if arm.name == record["arm"]), None)
    if arm is None:
        return None
    sampler = next((point for point in arm.points if to_json(point) == about["sampler"]), None)
    try:
        sampler = sampler or from_json("control" if record["control"] else "step", about["sampler"])    # of a sweep, or of --set
    except ValueError:    # its settings have gone since
        return None
    study = replace(study, compiled=about.get("compiled", False), **{name: about[name] for name in ("n", "batch", "seed", "dtype")})
    arm = replace(arm, temperature=about["temperature"], nucleus=about.get("nucleus", 1.0), nucleus_keep=about.get("nucleus_keep", arm.nucleus_keep))
    cell = Cell(study, arm, sampler, checked(about["device"]))
    return cell if cell.key() == record["key"] else None


def _again(cell: Cell, rows: int) -> tuple[str, np.ndarray, np.ndarray]:
    ledger, samples = sampled(cell, 0, rows)
    return cell.key(), samples, cost_of(ledger, cell)[1]
