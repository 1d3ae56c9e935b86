"""Runs a study: counts its cells, times them in fresh processes, scores them. What is stored is never computed again.

The counted run is metered and gives samples and costs; the timed runs are bare, give only seconds, and must reproduce the counted rows.
"""

import hashlib
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from joblib import Parallel, delayed

from harness.ledger import Ledger
from harness.loop import sample
from harness.machine import machine
from harness.random import Stream, permutation
from harness.scoring import score
from harness.spec import brief
from harness.store import Store
from harness.study import Cell, Study, missing
from harness.wrap import Temper


class Counted(NamedTuple):
    key: str
    record: dict
    samples: np.ndarray | None
    costs: np.ndarray | None


class CellTimeout(Exception):
    pass


def heated(cell: Cell) -> dict:
    """The networks of a cell, at its temperature."""
    nets, temperature = cell.nets(), cell.arm.temperature
    return nets if temperature == 1 else {role: Temper(net, temperature) for role, net in nets.items()}


def cost_of(ledger: Ledger, cell: Cell) -> tuple[dict, np.ndarray]:
    """The record's `cost`, and needed NFE of each row by conventions A, B and C, (n, 3)."""
    reference, length = cell.study.nets[cell.study.reference].load(cell.device), cell.study.data.length
    blocks, whole = reference.blocks("draft"), reference.flops("draft", length, length, 0)
    rows = torch.stack((ledger.blocks / blocks, ledger.drafts.double(), ledger.flops / whole), 1).double().numpy()
    a, b, c = rows.mean(0).tolist()
    needed = float(ledger.flops.sum())
    return {"calls": {k: float(v.double().mean()) for k, v in sorted(ledger.calls.items())}, "nfe_a": a, "nfe_b": b, "nfe_c": c,
            "executed_a": ledger.executed_blocks / blocks / ledger.n, "executed_over_needed": ledger.executed_flops / needed if needed else 1.0,
            "gflop": ledger.executed_flops / ledger.n / 1e9, "tokens": int(ledger.tokens.sum()), "revealed": ledger.revealed.tolist(),
            "tested": {k: v.tolist() for k, v in ledger.tested.items()}, "passed": {k: v.tolist() for k, v in ledger.passed.items()}}, rows


def count(cell: Cell, threads: int | None = None) -> Counted:
    """Sample one cell under the meter. Every failure of a sampler or network becomes a failed record; this is the one broad except."""
    if threads:
        torch.set_num_threads(threads)
    study, begun = cell.study, time.perf_counter()
    about = {"type": "counted", "key": cell.key(), "study": study.name, "arm": cell.arm.name, "control": cell.is_control, "cell": cell.describe(), "code": cell.code()}
    if reason := missing(cell, cell.nets()):
        return Counted(about["key"], about | {"status": "skipped", "reason": reason}, None, None)

    def watch(finished: int) -> None:
        if time.perf_counter() - begun > study.limit_seconds:
            raise CellTimeout(f"only {finished} of {study.n} rows after {study.limit_seconds:g} s")

    ledger = Ledger(study.n, study.data.length, study.data.mask)
    try:
        if cell.is_control:
            x = cell.sampler.control(study.data, study.n, study.seed)
        else:
            x = sample(cell.sampler, heated(cell), cell.prompts(), study.seed, study.batch, ledger=ledger, progress=watch)
    except CellTimeout as late:
        return Counted(about["key"], about | {"status": "timeout", "reason": str(late)}, None, None)
    except Exception as error:
        return Counted(about["key"], about | {"status": "failed", "reason": f"{type(error).__name__}: {error}"}, None, None)
    samples = x.cpu().numpy().astype(np.uint8 if study.data.vocab < 255 else np.int32)
    cost, rows = cost_of(ledger, cell)
    tokens_a_pass = cost["tokens"] / max(1.0, float(ledger.drafts.sum()))
    about |= {"status": "done", "reason": "", "cost": cost, "inert": not cell.is_control and "verify" in str(cell.sampler.needs) and tokens_a_pass < 1.05,
              "samples_sha256": hashlib.sha256(samples.tobytes()).hexdigest(), "seconds": time.perf_counter() - begun}
    return Counted(about["key"], about, samples, rows)


def time_block(cells: list[Cell], process: int, rows: int) -> list[tuple[str, float, np.ndarray]]:
    """In a fresh process: every cell once untimed and once timed, in an order drawn for this process."""
    order = permutation(process, torch.zeros(1, dtype=torch.int64), Stream.RESAMPLE, len(cells))[0].tolist()
    found = []
    for cell in (cells[k] for k in order):
        nets, prompts = heated(cell), cell.prompts()[:rows]

        def run(nets=nets, prompts=prompts, cell=cell):
            return sample(cell.sampler, nets, prompts, cell.study.seed, rows).cpu().numpy()

        run()
        begun = time.perf_counter()
        x = run()    # ends on the host, so the device has finished
        found.append((cell.key(), time.perf_counter() - begun, x))
    return found


class Progress:
    """One line a cell on stderr, with the time left; nothing else is printed while a study runs."""

    def __init__(self, total: int, stage: str):
        self.total, self.stage, self.done, self.begun = total, stage, 0, time.perf_counter()

    def tick(self, label: str, status: str) -> None:
        self.done += 1
        left = (time.perf_counter() - self.begun) / self.done * (self.total - self.done)
        print(f"[{self.stage} {self.done}/{self.total}] {status:<8} {label}   {left / 60:.1f} min left", file=sys.stderr, flush=True)


def run(study: Study, folder: Path, device: str = "cpu", jobs: int = 1, timing: bool = True, command: str = "") -> dict:
    """Count, time and score; what happened, in numbers."""
    store, cells = Store(folder), study.cells(device)
    fingerprint = machine(device)
    for name, source in study.nets.items():
        net = source.load(device)
        if net.vocab != study.data.vocab:
            raise ValueError(f"the network {name!r} writes {net.vocab} symbols and {study.data.name} has {study.data.vocab}: choose data or a checkpoint that fits")
        if not any(r["sha256"] == net.sha256 for r in store.of("network")):
            store.append({"type": "network", "sha256": net.sha256, "name": name, "card": net.card})
    about = {"type": "study", "name": study.name, "question": study.question.strip(), "reference": study.reference, "arms": [a.name for a in study.arms],
             "controls": [a.name for a in study.arms if any(hasattr(p, "control") for p in a.points)], "command": command}
    if not store.of("study") or {k: store.of("study")[-1].get(k) for k in about} != about:
        store.append(about)
    if not any(m["id"] == fingerprint["id"] and m["commit"] == fingerprint["commit"] for m in store.of("machine")):
        store.append({"type": "machine", **fingerprint})

    known = store.latest("counted", "key")
    todo = [c for c in cells if not fresh(store, known.get((c.key(),)), c)]
    progress, tally = Progress(len(todo), "count"), {"cached": len(cells) - len(todo), "done": 0, "skipped": 0, "failed": 0, "timeout": 0}
    results = (count(c) for c in todo) if jobs == 1 else Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(count)(c, max(1, (os.cpu_count() or 1) // jobs)) for c in todo)
    for key, record, samples, costs in results:
        if samples is not None:
            store.put("samples", key, samples)
            store.put("costs", key, costs)
        store.append(record | {"machine": fingerprint["id"]})
        tally[record["status"]] += 1
        progress.tick(f"{record['arm']}: {brief(record['cell']['sampler'])} {record['reason']}", record["status"])
    if timing and study.timing:
        tally["timed"] = time_all(study, store, cells, fingerprint["id"])
    tally["scored"] = score(study, store, cells)
    return tally


def fresh(store: Store, record: dict | None, cell: Cell) -> bool:
    """Whether a stored record answers for its cell: done by the present code, with its arrays there."""
    return bool(record) and record["status"] == "done" and record["code"] == cell.code() and store.has("samples", record["key"]) and store.has("costs", record["key"])


def time_all(study: Study, store: Store, cells: list[Cell], machine_id: str) -> int:
    """Fill in the timed records that are missing; how many were made. Nothing else runs on the device meanwhile."""
    known = store.latest("counted", "key")
    cells = [c for c in cells if not c.is_control and fresh(store, known.get((c.key(),)), c)]
    made, progress, rows = 0, Progress(study.timing.processes, "time"), min(study.timing.rows, study.n)
    for process in range(study.timing.processes):
        have = {(r["key"], r["code"]) for r in store.of("timed") if r["process"] == process and r["machine"] == machine_id}
        due = [c for c in cells if (c.key(), c.code()) not in have]
        if due:
            code = {c.key(): c.code() for c in due}
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh_process:
                for key, seconds, x in fresh_process.submit(time_block, due, process, rows).result():
                    differing = int((x != store.get("samples", key)[:rows]).any(1).sum())
                    store.append({"type": "timed", "key": key, "process": process, "block": process, "rows": rows, "batch": rows, "seconds": [seconds],
                                  "same_output": not differing, "differing_rows": differing, "machine": machine_id, "code": code[key], "load": os.getloadavg()[0]})
                    made += 1
        progress.tick(f"fresh process {process}, {len(due)} cells x {rows} rows", "timed")
    return made
