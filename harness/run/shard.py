"""Shards of a study: each samples some of the rows of every cell, on its own device or host, and writes its own records
file.

    ssmd-bench run STUDY --out RUN --shard 1/3        rows 1..n/3, records.1of3.jsonl; so do 2/3 and 3/3, side by side
    ssmd-bench run STUDY --out RUN                    unites them, then times and scores

A row's draws are keyed by its own number (harness/random.py), so its sample does not depend on the shard. A shard keeps
the ledger's counts as whole numbers, and the union adds them up and goes on as if one process had counted: keys,
samples and costs of rows equal those of an unsharded run. What the device executed (`gflop`, `executed_over_needed`) is
the sum over the shards, whose batches differ from those of one run.

    shard_samples/KEY.2of3.npy    (m, L) token ids
    shard_counts/KEY.2of3.npy     (m, 4 + calls + 7), see harness/records/by_row.py
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from harness.records import provenance
from harness.records.by_row import FIELDS, LATER
from harness.records.store import Store
from harness.run.cell import Cell
from harness.sampling.ledger import Ledger

TABLES = ("tested", "passed")


class Shard(NamedTuple):
    """The k-th of `of` stretches of rows, k from 1."""

    k: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.k}/{self.of}"

    @property
    def name(self) -> str:
        """Of its records file, and within those of its arrays."""
        return f"{self.k}of{self.of}" if self.of > 1 else ""

    def file(self, key: str) -> str:
        """The name of its arrays of a cell."""
        return f"{key}.{self.name}" if self.name else key

    def rows(self, n: int) -> tuple[int, int]:
        """The first row and the one after the last."""
        return (self.k - 1) * n // self.of, self.k * n // self.of

    def checked(self, n: int) -> "Shard":
        if self.of > n:
            raise ValueError(f"{n} rows cannot be cut into {self.of} shards: cut into {n} at most")
        return self


WHOLE = Shard()


def parse(text: str, option: str = "--shard") -> Shard:
    """'2/3' -> Shard(2, 3)."""
    k, slash, of = text.partition("/")
    if not (slash and k.isascii() and k.isdecimal() and of.isascii() and of.isdecimal() and 1 <= int(k) <= int(of)):
        raise ValueError(f"{option} {text!r} must read K/N with K from 1 to N, as in {option} 2/3")
    return Shard(int(k), int(of))


def counts(ledger: Ledger) -> tuple[dict, np.ndarray]:
    """What a ledger has counted: the record's `counts`, and a table by row."""
    calls = sorted(ledger.calls)
    columns = [*(getattr(ledger, name) for name in FIELDS), *(ledger.calls[name] for name in calls),
               *(getattr(ledger, name) for name in LATER)]
    about = {"calls": calls, "executed_flops": ledger.executed_flops, "executed_blocks": ledger.executed_blocks,
             "revealed": ledger.revealed.tolist(),
             **{name: {k: v.tolist() for k, v in getattr(ledger, name).items()} for name in TABLES}}
    return about, torch.stack(columns, 1).numpy()                                  # (m, 4 + calls + 7) int64


def width(now: np.ndarray, before: np.ndarray) -> int:
    """Of a table of rows, the columns that are compared with one which may be of before LATER was recorded."""
    short = now.shape[1] - len(LATER)
    return short if before.shape[1] == short else now.shape[1]


def joined(cell: Cell, parts: Sequence[tuple[dict, np.ndarray]]) -> Ledger:
    """One ledger of those of stretches of rows in order, each as `counts` gives it."""
    ledger, last = Ledger(sum(len(table) for _, table in parts), cell.study.data.length, cell.study.data.mask), 0
    for about, table in parts:
        rows = slice(last, last := last + len(table))
        for name, column in zip((*FIELDS, *about["calls"], *LATER), torch.from_numpy(table).T):
            whole = (
                getattr(ledger, name)
                if name in FIELDS + LATER
                else ledger.calls.setdefault(name, torch.zeros(ledger.n, dtype=torch.int64))
            )
            whole[rows] = column
        ledger.executed_flops += about["executed_flops"]
        ledger.executed_blocks += about["executed_blocks"]
        ledger.revealed += torch.tensor(about["revealed"])
        for name in TABLES:
            for key, total in getattr(ledger, name).items():
                total += torch.tensor(about[name][key])
    return ledger


def united(cell: Cell, parts: Sequence[dict], store: Store) -> tuple[Ledger, np.ndarray]:
    """The ledger and the samples of all rows, from the records of all shards of a cell, in order."""
    tables, arrays = ([store.get(room, f"{r['key']}.{r['shard'].replace('/', 'of')}") for r in parts]
                      for room in ("shard_counts", "shard_samples"))
    # (n, L)
    return joined(cell, [(part["counts"], table) for part,
                         table in zip(parts, tables, strict=True)]), np.concatenate(arrays)


def answers(store: Store, record: dict | None) -> bool:
    """Whether a shard's record answers for its rows: tried by the present code, and its arrays whole if it was done."""
    if not record or not provenance.surely(record["made"]):
        return False
    name = f"{record['key']}.{record['shard'].replace('/', 'of')}"
    return record["status"] != "done" or (store.has("shard_samples", name) and store.has("shard_counts", name))


def whole(store: Store, cells: Sequence[Cell]) -> dict[str, list[dict]]:
    """Records of all shards in order, by key, of cells that were counted in shards; none where none were.

    Raises ValueError, in a sentence, if some shards are there and others are missing.
    """
    found: dict[tuple[str, int], dict[int, dict]] = {}                             # (key, of) -> k -> record
    asked, codes = {c.key() for c in cells if not c.missing()}, set()
    for (key, text), record in store.latest("shard", "key", "shard").items():
        shard = parse(text)
        codes.add(shard.of)
        if key in asked and answers(store, record):
            found.setdefault((key, shard.of), {})[shard.k] = record
    made = {}
    for (key, of), parts in found.items():
        if len(parts) == of:
            made[key] = [parts[k] for k in range(1, of + 1)]
    if not found or len(made) == len(asked):
        return made
    of = max(codes, key=lambda of: sum(len(parts) for (_, other), parts in found.items() if other == of))
    absent = {key: set(range(1, of + 1)) - found.get((key, of), {}).keys() for key in asked if key not in made}
    names = sorted(set().union(*absent.values()))
    raise ValueError(f"the shard{'s' if len(names) > 1 else ''} {', '.join(str(Shard(k, of)) for k in names)} "
                     f"{'are' if len(names) > 1 else 'is'} missing or of other code "
                     f"for {len(absent)} of {len(asked)} cells: run this command with --shard "
                     f"{Shard(names[0], of)}{' and so on' if len(names) > 1 else ''}, "
                     "or choose another --out to count all rows here")
