"""One cell, or some of its rows, sampled under the meter: its record, its samples and what each row cost.

Rows are sampled a stretch at a time, and written as they are made: memory does not grow with their number, but for
their costs. Only prompts that are taken from data, controls, and cells counted by other processes (--jobs, --backend),
whose samples travel back whole, are held in one piece.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch

from harness.data.control import is_control
from harness.records import provenance
from harness.records.arrays import digest, row_digests
from harness.records.store import Store
from harness.run import shard
from harness.run.cell import Cell
from harness.run.shard import WHOLE, Shard
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.stats import forwards

STRETCH = 8192    # rows


class Counted(NamedTuple):
    key: str
    record: dict
    # room -> what is to be stored there; without samples if they are stored already
    arrays: Mapping[str, np.ndarray] = MappingProxyType({})


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
    """The record's `cost`, and needed NFE of each row by conventions A, B and C, (n, 3). Where the blocks of a network
    are unlike each other they cannot be counted, and convention A is that of FLOPs.
    """
    reference, length = cell.study.nets[cell.study.reference].load(cell.device), cell.study.data.length
    blocks, whole = reference.blocks("draft"), reference.flops("draft", length, length, 0, 0)
    alike = all(net.alike(length) for net in cell.nets().values() if hasattr(net, "alike"))
    by_blocks = ledger.blocks / blocks if alike else ledger.flops / whole
    rows = torch.stack((by_blocks, ledger.drafts.double(), ledger.flops / whole), 1).double().numpy()
    a, b, c = rows.mean(0).tolist()
    needed = float(ledger.flops.sum())
    return {"calls": {k: float(v.double().mean()) for k, v in sorted(ledger.calls.items())}, "nfe_a": a, "nfe_b": b,
            "nfe_c": c,
            "executed_a": (ledger.executed_blocks / blocks if alike else ledger.executed_flops / whole) / ledger.n,
            "executed_over_needed": ledger.executed_flops
            / needed if needed else 1.0,
            "gflop": ledger.executed_flops / ledger.n / 1e9, "tokens": int(ledger.tokens.sum()),
            "revealed": ledger.revealed.tolist(),
            "tested": {k: v.tolist() for k, v in ledger.tested.items()},
            "passed": {k: v.tolist() for k, v in ledger.passed.items()},
            **({} if cell.is_control else {"forwards": _forwards(ledger)}),
            **({"priced": True} if any(getattr(net, "one_pass_chain", False) for net in cell.nets().values())
               else {})}, rows


def _forwards(ledger: Ledger) -> dict:
    """What a row costs and gives in the currency of harness/stats/forwards.py: sums over rows, and means where it
    says.
    """
    tau = forwards.tau_b(ledger.order.numpy(), ledger.untied.numpy(), ledger.tokens.numpy())       # (n,)
    defined = tau[np.isfinite(tau)]
    return {"token_forwards": float(ledger.tracks.double().mean()) / ledger.length,
            **{name: int(getattr(ledger, name).sum()) for name in ("tests", "kept", "rejected", "generated")},
            "empty": forwards.empty(ledger.generated.numpy()), "ordered": len(defined),
            "order": float(defined.mean()) if len(defined) else None}


def _live(live: Callable[[int], None], before: int, finished: int) -> None:
    live(before + finished)


def count(cell: Cell, live: Callable[[int], None] = lambda finished: None, part: Shard = WHOLE,
          keep: Callable[[np.ndarray], None] | None = None) -> Counted:
    """Sample one cell, or a shard of its rows, under the meter, handing the samples of each stretch to `keep`; without
    it they come back in one piece.

    Every failure of a sampler or network becomes a failed record; this is the one broad except.
    """
    study, begun, key = cell.study, time.perf_counter(), cell.key()
    made = provenance.made(cell.own())
    about = {"type": "counted", "key": key, "study": study.name, "arm": cell.arm.name, "control": cell.is_control,
             "cell": cell.describe(),
             "made": made}
    about |= {"also": list(cell.also)} if cell.also else {}
    if part != WHOLE:
        about |= {"type": "shard", "shard": str(part)}
    if reason := cell.missing():
        return Counted(key, about | {"status": "skipped", "reason": reason})
    parts, digests = [], []
    kept: list[np.ndarray] = []
    sha, (first, last) = hashlib.sha256(), part.rows(study.n)
    step = study.n if cell.is_control else max(STRETCH, study.batch)
    for row in range(first, last, step):
        try:
            ids = np.arange(row, min(row + step, last))
            said = partial(_live, live, row - first)
            ledger, rows = sampled(cell, ids, said, begun)
        except CellTimeout as late:
            return Counted(key, about | {"status": "timeout", "reason": str(late)})
        except Exception as error:
            return Counted(key, about | {"status": "failed", "reason": f"{type(error).__name__}: {error}"})
        parts.append(shard.counts(ledger))
        digests.append(row_digests(rows))
        sha.update(rows.tobytes())
        (keep or kept.append)(rows)
    about["made"] = provenance.with_later(made)
    ledger, arrays = (
        shard.joined(cell, parts),
        {"rows": np.concatenate(digests)} | ({} if keep else {"samples": np.concatenate(kept)}),
    )
    if part == WHOLE:
        return to_record(cell, about, ledger, arrays, sha.hexdigest(), time.perf_counter() - begun)
    counts, table = shard.counts(ledger)
    about |= {"samples_sha256": sha.hexdigest(), "counts_sha256": digest(table)}
    arrays = {f"shard_{room}": array for room, array in (arrays | {"counts": table}).items() if room != "rows"}
    return Counted(key, about | {"status": "done", "reason": "", "counts": counts,
                                 "seconds": time.perf_counter() - begun}, arrays)


def sampled(cell: Cell, ids: np.ndarray, live: Callable[[int], None] = lambda finished: None,
            begun: float | None = None) -> tuple[Ledger, np.ndarray]:
    """The rows of these numbers (m,), begun at that time, under the meter: the ledger and the token ids (m, L).

    Raises CellTimeout, and whatever a sampler or network raises.
    """
    study = cell.study
    ledger = Limited(len(ids), study.data.length, study.data.mask, study.limit_seconds, time.perf_counter()
                     if begun is None else begun)
    if is_control(cell.sampler):
        x = cell.sampler.control(study.data, study.n, study.seed)[ids]
    else:
        first, last = int(ids[0]), int(ids[-1]) + 1
        prompts = cell.prompts(first, last)[ids - first]                           # (m, L)
        numbers = torch.from_numpy(ids).to(prompts.device)
        nets = cell.wrapped_networks(looked_at=True)
        x = sample(cell.sampler, nets, prompts, study.seed, study.batch, numbers, ledger=ledger, progress=live)
        ledger.end(x, prompts, getattr(study.data, "eos", None))
    return ledger, x.cpu().numpy().astype(np.uint8 if study.data.vocab < 255 else np.int32)


def to_record(cell: Cell, about: dict, ledger: Ledger, arrays: dict[str, np.ndarray], sha: str,
              seconds: float) -> Counted:
    cost, costs = cost_of(ledger, cell)
    arrays = arrays | {"costs": costs, "counts": shard.counts(ledger)[1]}
    tokens_a_pass = cost["tokens"] / max(1.0, float(ledger.drafts.sum()))
    about |= {"status": "done", "reason": "", "cost": cost, "inert": hasattr(cell.sampler, "window")
              and tokens_a_pass < 1.05, "samples_sha256": sha,
              "rows_sha256": digest(arrays["rows"]), "counts_sha256": digest(arrays["counts"]), "seconds": seconds}
    return Counted(cell.key(), about, arrays)


def unite(cell: Cell, parts: list[dict], store: Store) -> Counted:
    """One record of the records of all shards; that of the first shard which did not finish, if there is one."""
    about = {k: parts[0][k] for k in ("key", "study", "cell", "made")} | {"type": "counted", "arm": cell.arm.name,
                                                                          "control": cell.is_control}
    about |= {"also": list(cell.also)} if cell.also else {}
    about["shards"] = {r["shard"]: r["machine"] for r in parts}
    for record in parts:
        if record["status"] != "done":
            return Counted(cell.key(), about | {"status": record["status"],
                                                "reason": f"shard {record['shard']}: {record['reason']}"})
    ledger, samples = shard.united(cell, parts, store)
    arrays = {"samples": samples, "rows": row_digests(samples)}
    return to_record(cell, about, ledger, arrays, digest(samples), sum(r["seconds"] for r in parts))


def whole(store: Store, record: dict | None) -> bool:
    """Whether a record is done and all its arrays are there as it says."""
    return (
        record is not None
        and record["status"] == "done"
        and all(store.has(room, record["key"]) for room in rooms_of(record))
    )


def rooms_of(record: dict) -> list[str]:
    """Where the arrays of a finished counted record stand; one of schema 1 has neither digests nor counts by row."""
    return ["samples", "costs", *(room for room in ("rows", "counts") if f"{room}_sha256" in record)]
