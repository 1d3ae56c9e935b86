"""One side of a comparison: the records of a run folder, or those of a file of expectations.

A file of expectations (`ssmd-bench expect`) holds counted records, one JSON line each; it has neither scores nor times. It is committed, and merges
edit it, so that a line which is no such record is an error there, and not the torn end of a killed writer.
"""

import json
from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from harness.record import upgrade
from harness.spec import brief, canonical
from harness.store import Store

COUNTS = ("calls", "nfe_a", "nfe_b", "nfe_c", "executed_a", "gflop", "tokens")    # of a record's cost; calls by (network, kind)
STATUSES = ("done", "skipped", "failed", "timeout")
ROUNDING = 1e-12    # relative; the last bits of a mean depend on the processor, one call more in a run is far above


class Side(NamedTuple):
    """The latest records of each cell, all of them whole."""

    name: str                              # folder or file
    counted: dict[str, dict]               # by key
    scored: dict[str, dict[str, dict]]     # by key and label
    timed: dict[str, list[dict]]           # by key, in the order written
    store: Store | None = None             # where arrays are; None for a file of expectations


class Change(NamedTuple):
    count: str    # type: ignore[assignment]  # a name in COUNTS; of calls, calls.NETWORK.KIND
    before: float
    now: float

    def __str__(self) -> str:
        return f"{self.count} {self.before:.10g} before, {self.now:.10g} now"


def side(store: Store) -> Side:
    """A run as one side. Raises ValueError if one of its records lacks what every record of its kind has."""
    def latest(kind: str, *ids: str) -> list[dict]:
        for record in store.of(kind):
            if not _WHOLE[kind](record):
                raise ValueError(f"{store.folder} has a {kind} record that is not whole ({_place(record)}): remove its line, and run the study again")
        return list(store.latest(kind, *ids).values())

    scored: dict[str, dict[str, dict]] = {}
    timed: dict[str, list[dict]] = {}
    counted = {r["key"]: r for r in latest("counted", "key")}
    for record in latest("scored", "key", "label"):
        scored.setdefault(record["key"], {})[record["label"]] = record
    for record in latest("timed", "key", "machine", "code", "rows", "process"):
        timed.setdefault(record["key"], []).append(record)
    return Side(str(store.folder), counted, scored, timed, store)


def expectations(path: Path) -> Side:
    """A file of counted records as one side. Raises ValueError, with the line, for one that is no such record, or whose key stood there before."""
    counted: dict[str, dict] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode())
        except (ValueError, RecursionError):
            raise ValueError(f"{path} line {number} is not valid JSON: restore the file, or write it again with `ssmd-bench expect`") from None
        if isinstance(record, dict) and (record := upgrade(record)) is None:
            raise ValueError(f"{path} line {number} was written by a newer version of the program: use that version")
        if not isinstance(record, dict) or record.get("type") != "counted" or not _WHOLE["counted"](record):
            raise ValueError(f"{path} line {number} is not a counted record: give a run folder, or write the file again with `ssmd-bench expect`")
        if record["key"] in counted:
            raise ValueError(f"{path} line {number} repeats the key {record['key']}: write the file again with `ssmd-bench expect`")
        counted[record["key"]] = record
    return Side(str(path), counted, {}, {})


def named(record: dict) -> str:
    """A cell in a form for people: arm: sampler(settings)."""
    return f"{record['arm']}: {brief(record['cell']['sampler'])}"


def likeness(record: dict) -> str:
    """What a cell keeps when its networks or data are built again: the text is the same for both, their keys are not."""
    data = record["cell"].get("data")
    return canonical(record["cell"] | {"nets": None, "data": data.get("name") if isinstance(data, dict) else None})


def changes(before: dict, now: dict) -> list[Change]:
    """The counts of two costs that are not equal; a kind of call that one of them lacks was made 0 times."""
    a, b = _flat(before), _flat(now)
    every = (Change(count, a.get(count, 0), b.get(count, 0)) for count in {**a, **b})
    return [c for c in every if abs(c.now - c.before) > ROUNDING * max(abs(c.now), abs(c.before))]


def _flat(cost: dict) -> dict[str, float]:
    return {f"calls.{call}": calls for call, calls in cost["calls"].items()} | {count: cost[count] for count in COUNTS[1:]}


def _place(record: dict) -> str:
    return f"key {record['key']}" if isinstance(record.get("key"), str) else "without a key"


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _texts(record: dict, names: Iterable[str]) -> bool:
    return all(isinstance(record.get(name), str) for name in names)


def _settings(data: Any) -> bool:
    """Whether it and all settings in it say what they are settings of."""
    return isinstance(data, dict) and isinstance(data.get("name"), str) and all(_settings(value) for value in data.values() if isinstance(value, dict))


def _counted(record: dict) -> bool:
    cell, cost = record.get("cell"), record.get("cost")
    if not _texts(record, ("key", "arm", "status", "reason")) or record["status"] not in STATUSES or not isinstance(cell, dict) or not _settings(cell.get("sampler")):
        return False
    if record["status"] != "done":
        return True
    calls = cost.get("calls") if isinstance(cost, dict) else None
    return (_texts(record, ("samples_sha256",)) and isinstance(calls, dict)
            and all(map(_number, (*calls.values(), *(cost.get(count) for count in COUNTS[1:])))))    # type: ignore[union-attr]


def _scored(record: dict) -> bool:
    if not _texts(record, ("key", "label", "status", "reason", "better")) or not isinstance(record.get("metric"), dict):
        return False
    return record["status"] != "done" or _texts(record, ("per", "score_key")) and _number(record.get("value"))


def _timed(record: dict) -> bool:
    whole = _texts(record, ("key", "machine")) and isinstance(record.get("process"), int) and isinstance(record.get("rows"), int)
    return whole and isinstance(record.get("seconds"), list) and all(map(_number, record["seconds"]))


_WHOLE: dict[str, Callable[[dict], bool]] = {"counted": _counted, "scored": _scored, "timed": _timed}
