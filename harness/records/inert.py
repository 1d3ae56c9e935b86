"""Settings of an arm that write the same tokens: a knob that turns nothing.

Draws are keyed by seed, row, stream and place, so that two settings which decide alike give equal rows, to the token.
Rows are compared by their digests, which every record keeps.
"""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from harness.records.store import Store
from harness.spec import brief

FEW = 0.05                                             # share of rows up to which two settings count as one
LEAST = 64                                             # rows, with fewer nothing is said
KNOBS = ("sampler", "temperature", "nucleus", "nucleus_keep")


class Alike(NamedTuple):
    """A setting, an earlier one of its arm that wrote (nearly) the same rows, and on how many of n they differ."""

    key: str
    other: str
    differ: int
    n: int

    def __str__(self) -> str:
        return f"differs on {self.differ:,} of {self.n:,} rows"


def alike(store: Store, records: Sequence[dict]) -> Iterator[Alike]:
    """Of finished counted records, in their order: each that an earlier one of the same arm and question is like."""
    seen: dict[str, list[tuple[str, np.ndarray]]] = {}
    for record in records:
        key, n = record["key"], record["cell"]["n"]
        if record["status"] != "done" or record.get("control") or "rows_sha256" not in record or n < LEAST:
            continue
        if not store.has("rows", key) or not (digests := store.get("rows", key)).all():
            continue
        rest = {name: value for name, value in record["cell"].items() if name not in KNOBS}
        earlier = seen.setdefault(json.dumps([record["arm"], rest], sort_keys=True), [])
        found = ((int((digests != other).sum()), name) for name, other in earlier)
        if match := next(((differ, name) for differ, name in found if differ <= FEW * n), None):
            yield Alike(key, match[1], match[0], n)
        earlier.append((key, digests))


def said(store: Store) -> list[str]:
    """A line for each pair, of all that is in a run."""
    records = {r["key"]: r for r in store.latest("counted", "key").values()}
    return [f"{records[pair.key]['arm']}: {brief(records[pair.key]['cell']['sampler'])} {pair} from "
            f"{brief(records[pair.other]['cell']['sampler'])}: what tells them apart turned nothing here"
            for pair in alike(store, list(records.values()))]
