"""What a sequence costs, taken apart: passes by network and kind, needed and executed; seconds by process, and their
ratios in pairs.

stack     part (network and kind), passes (needed), blocks (their share of NFE A), executed_a, executed_over_needed
          (FLOPs)
times     process, busy, seconds (a sequence), and per cell the ratios to a cell of the baseline: time_ratio, .low,
          .high, nfe_ratio, reference

The records hold passes by network and kind, and NFE A in all. NFE A is a weighted sum of the passes, with one weight
(blocks over blocks of the reference) for each network and kind: with enough cells the weights follow by linear algebra.
Where they do not, the passes stay in one part.
"""

from collections.abc import Sequence
from statistics import median

import numpy as np
import pandas as pd

from harness.stats.intervals import time_ratio
from reports.frame import Chapter, from_near, machine_of, times_of
from reports.front import dressed
from reports.records import Cell
from reports.text import plain

EXACT = 1e-5  # relative error of a sum of single-precision ratios
WHOLE = "all passes"


def stack(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    rows, done = [], chapter.done()
    weights = block_weights([chapter.cells[key] for key in done.key])
    for row in done.to_dict("records"):
        cell = chapter.cells[row["key"]]
        calls, cost = cell.record["cost"]["calls"], cell.record["cost"]
        known = [weights.get(_made_by(cell, call)) for call in calls]
        parts = [(_part(cell, call), passes, passes * weight) for (call, passes), weight in zip(calls.items(), known)
                 if weight is not None]
        if None in known or abs(sum(blocks for *_, blocks in parts) - row["nfe_a"]) > EXACT * max(1.0, row["nfe_a"]):
            parts = [(WHOLE, sum(calls.values()), row["nfe_a"])]
        about = {column: row[column] for column in ("arm", "setting", "key", "n", "nfe_a")}
        about |= {"executed_a": cost["executed_a"], "executed_over_needed": cost["executed_over_needed"]}
        rows += [about | {"part": part, "passes": passes, "blocks": blocks} for part, passes, blocks in parts]
    return dressed(chapter, rows, baseline)


def block_weights(cells: Sequence[Cell]) -> dict[tuple[str, str], float]:
    """(sha256 of a network, kind) -> NFE A of one such pass, where the records determine it."""
    kinds = list(dict.fromkeys(_made_by(cell, call) for cell in cells for call in cell.record["cost"]["calls"]))
    table = np.zeros((len(cells), len(kinds)))  # passes
    for k, cell in enumerate(cells):
        for call, passes in cell.record["cost"]["calls"].items():
            table[k, kinds.index(_made_by(cell, call))] += passes
    if not table.any():
        return {}
    found, *_ = np.linalg.lstsq(table, [cell.record["cost"]["nfe_a"] for cell in cells], rcond=1e-9)
    _, sizes, rows = np.linalg.svd(table, full_matrices=False)
    rows = rows[sizes > 1e-9 * sizes[0]]  # what the records see of the space of weights
    seen = np.abs(rows.T @ rows - np.eye(len(kinds))).max(1) < 1e-6
    return {kind: float(weight) for kind, weight, ok in zip(kinds, found, seen) if ok}


def _made_by(cell: Cell, call: str) -> tuple[str, str]:
    role, _, kind = call.partition(".")
    return cell.record["cell"]["nets"].get(role, role), kind


def _part(cell: Cell, call: str) -> str:
    role, _, kind = call.partition(".")
    return plain(f"{cell.record['cell']['net_names'].get(role, role)} {kind}")


def times(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    done, machine = chapter.done(), machine_of(list(chapter.cells.values()))
    timed = {key: found for key in done.key if (found := times_of(chapter.cells[key], machine))}
    base = done[(done.arm == baseline) & done.key.isin(timed)]
    reference = base.loc[from_near(base.nfe_a).idxmin()] if len(base) else None  # what times are compared with
    rows = []
    for row in done[done.key.isin(timed)].to_dict("records"):
        mine = timed[row["key"]]
        about = {column: row[column] for column in ("arm", "setting", "key", "n",
                                                    "nfe_a")} | {"timed_rows": mine[0]["rows"],
                                                                 "busy": row["seconds.busy"]}
        if reference is not None:
            about |= {"reference": f"{reference.arm} {reference.setting}".strip(),
                      "nfe_ratio": row["nfe_a"] / reference.nfe_a} | _ratio(mine, timed[reference.key])
        rows += [about | {"process": t["process"], "seconds": median(t["seconds"]) / t["rows"]} for t in mine]
    return dressed(chapter, rows, baseline)


def _ratio(mine: Sequence[dict], theirs: Sequence[dict]) -> dict:
    """Of a sequence's seconds, over the processes that ran in the same block of both; an interval takes several."""
    a, b = ({t["process"]: np.divide(t["seconds"], t["rows"]) for t in side} for side in (mine, theirs))
    shared = sorted(set(a) & set(b))
    if not shared:
        return {"time_ratio": np.nan, "time_ratio.low": np.nan, "time_ratio.high": np.nan, "pairs": 0}
    try:
        found = time_ratio([a[p] for p in shared], [b[p] for p in shared])
    except ValueError:
        logs = [np.log(median(a[p]) / median(b[p])) for p in shared]
        return {"time_ratio": float(np.exp(np.mean(logs))), "time_ratio.low": np.nan, "time_ratio.high": np.nan,
                "pairs": len(shared)}
    return {"time_ratio": found.value, "time_ratio.low": found.low, "time_ratio.high": found.high, "pairs": len(shared)}
