"""One cell, or some of its rows, sampled under the meter: its record, its samples and what each row cost.

Rows are sampled a stretch at a time, and written as they are made: memory does not grow with their number, but for their costs. Only prompts that are
taken from data, controls, and cells counted by other processes (--jobs, --backend), whose samples travel back whole, are held in one piece.
"""

import hashlib
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from harness import shard
from harness.arrays import digest
from harness.cell import Cell
from harness.ledger import Ledger
from harness.loop import sample
from harness.shard import WHOLE, Shard
from harness.store import Store

STRETCH = 8192    # rows


class Counted(NamedTuple):
    key: str
    record: dict
    samples: np.ndarray | None   # None if they are stored already
    counts: np.ndarray | None    # (n, 3) costs; of a shard the table of its ledger


class CellTimeout(Exception):
    pass


class Limited(Ledger):
    """A ledger that ends a cell which takes too long, at the next round."""

    def __init__(self, n: int, length: int, mask: int, seconds: float, begun: float):
        super().__init__(n, length, mask)
        self.seconds, self.begun = seconds, begun

    def open(self, slots, x):
        if time.perf_counter() - self.begun > self.seconds:
            raise CellTimeout(f"not finished after {self.seconds:g} s: raise the study's limit_seconds or lower n")
        super().open(slots, x)


def cost_of(ledger: Ledger, cell: Cell) -> tuple[dict, np.ndarray]:
    """The record's `cost`, and needed NFE of each row by conventions A, B and C, (n, 3)."""
    reference, length = cell.study.nets[cell.study.reference].load(cell.device), cell.study.data.length
    blocks, whole = reference.blocks("draft"), reference.flops("draft", length, length, 0)    # type: ignore[call-arg]
    rows = torch.stack((ledger.blocks / blocks, ledger.drafts.double(), ledger.flops / whole), 1).double().numpy()
    a, b, c = rows.mean(0).tolist()
    needed = float(ledger.flops.sum())
    return {"calls": {k: float(v.double().mean()) for k, v in sorted(ledger.calls.items())}, "nfe_a": a, "nfe_b": b, "nfe_c": c,
            "executed_a": ledger.executed_blocks / blocks / ledger.n, "executed_over_needed": ledger.executed_flops / needed if needed else 1.0,
            "gflop": ledger.executed_flops / ledger.n / 1e9, "tokens": int(ledger.tokens.sum()), "revealed": ledger.revealed.tolist(),
            "tested": {k: v.tolist() for k, v in ledger.tested.items()}, "passed": {k: v.tolist() for k, v in ledger.passed.items()}}, rows


def count(cell: Cell, live: Callable[[int], None] = lambda finished: None, part: Shard = WHOLE, keep: Callable[[np.ndarray], None] | None = None) -> Counted:
    """Sample one cell, or a shard of its rows, under the meter, handing the samples of each stretch to `keep`; without it they come back in one piece.

    Every failure of a sampler or network becomes a failed record; this is the one broad except.
    """
    study, begun, key = cell.study, time.perf_counter(), cell.key()
    about = {"type": "counted", "key": key, "study": study.name, "arm": cell.arm.name, "control": cell.is_control, "cell": cell.describe(), "code": cell.code()}
    about |= {"also": list(cell.also)} if cell.also else {}
    if part != WHOLE:
        about |= {"type": "shard", "shard": str(part)}
    if reason := cell.missing():
        return Counted(key, about | {"status": "skipped", "reason": reason}, None, None)
    parts, kept, sha, (first, last) = [], [], hashlib.sha256(), part.rows(study.n)    # type: ignore[var-annotated]
    step = study.n if cell.is_control else max(STRETCH, study.batch)
    for row in range(first, last, step):
        try:
            ledger, rows = sampled(cell, row, min(row + step, last), lambda finished, row=row: live(row - first + finished), begun)    # type: ignore[misc]
        except CellTimeout as late:
            return Counted(key, about | {"status": "timeout", "reason": str(late)}, None, None)
        except Exception as error:
            return Counted(key, about | {"status": "failed", "reason": f"{type(error).__name__}: {error}"}, None, None)
        parts.append(shard.counts(ledger))
        sha.update(rows.tobytes())
        (keep or kept.append)(rows)
    ledger, samples = shard.joined(cell, parts), None if keep else np.concatenate(kept)
    if part == WHOLE:
        return finished(cell, about, ledger, samples, sha.hexdigest(), time.perf_counter() - begun)
    counts, table = shard.counts(ledger)
    about |= {"samples_sha256": sha.hexdigest(), "counts_sha256": digest(table)}
    return Counted(key, about | {"status": "done", "reason": "", "counts": counts, "seconds": time.perf_counter() - begun}, samples, table)


def sampled(cell: Cell, first: int, last: int, live: Callable[[int], None] = lambda finished: None, begun: float | None = None) -> tuple[Ledger, np.ndarray]:
    """Rows first..last-1 of a cell, begun at that time, under the meter: the ledger and the token ids. Raises CellTimeout, and whatever a sampler or network raises."""
    study = cell.study
    ledger = Limited(last - first, study.data.length, study.data.mask, study.limit_seconds, time.perf_counter() if begun is None else begun)
    if cell.is_control:
        x = cell.sampler.control(study.data, study.n, study.seed)[first:last]    # type: ignore[attr-defined]
    else:
        prompts = cell.prompts(first, last)
        x = sample(cell.sampler, cell.heated(looked_at=True), prompts, study.seed, study.batch, torch.arange(first, last, device=prompts.device), ledger=ledger, progress=live)
    return ledger, x.cpu().numpy().astype(np.uint8 if study.data.vocab < 255 else np.int32)


def finished(cell: Cell, about: dict, ledger: Ledger, samples: np.ndarray | None, sha: str, seconds: float) -> Counted:
    cost, rows = cost_of(ledger, cell)
    tokens_a_pass = cost["tokens"] / max(1.0, float(ledger.drafts.sum()))
    about |= {"status": "done", "reason": "", "cost": cost, "inert": hasattr(cell.sampler, "window") and tokens_a_pass < 1.05,
              "samples_sha256": sha, "seconds": seconds}
    return Counted(cell.key(), about, samples, rows)


def unite(cell: Cell, parts: list[dict], store: Store) -> Counted:
    """One record of the records of all shards; that of the first shard which did not finish, if there is one."""
    about = {k: parts[0][k] for k in ("key", "study", "cell", "code")} | {"type": "counted", "arm": cell.arm.name, "control": cell.is_control}
    about |= {"also": list(cell.also)} if cell.also else {}
    about["shards"] = {r["shard"]: r["machine"] for r in parts}
    for record in parts:
        if record["status"] != "done":
            return Counted(cell.key(), about | {"status": record["status"], "reason": f"shard {record['shard']}: {record['reason']}"}, None, None)
    ledger, samples = shard.united(cell, parts, store)
    return finished(cell, about, ledger, samples, hashlib.sha256(samples.tobytes()).hexdigest(), sum(r["seconds"] for r in parts))


def fresh(store: Store, record: dict | None, cell: Cell) -> bool:
    """Whether a stored record answers for its cell: done by the present code, with its arrays whole."""
    return (bool(record) and record["status"] == "done" and record["code"] == cell.code()    # type: ignore[index]
            and store.has("samples", record["key"]) and store.has("costs", record["key"]))    # type: ignore[index]
