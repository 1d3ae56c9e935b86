"""One side of a comparison: the records of a run folder, or those of a file of expectations.

A file of expectations (`ssmd-bench expect`) holds counted records, one JSON line each; it has neither scores nor times.
It is committed, and merges edit it, so that a line which is no such record is an error there, and not the torn end of a
killed writer.
"""

from pathlib import Path
from typing import NamedTuple

from harness.boundary.incoming import Wrong, fitted, parsed
from harness.records.record import upgrade
from harness.records.steps import settled
from harness.records.store import Store
from harness.records.types import Expected
from harness.spec import brief, canonical

# of a record's cost; calls by (network, kind)
COUNTS = ("calls", "nfe_a", "nfe_b", "nfe_c", "executed_a", "gflop", "tokens")
FORWARDS = ("token_forwards", "tests", "kept", "rejected", "generated")    # of its `forwards`, which old records lack
ROUNDING = 1e-12    # relative; the last bits of a mean depend on the processor, one call more in a run is far above


class Side(NamedTuple):
    """The latest records of each cell, all of them whole."""

    name: str                              # folder or file
    counted: dict[str, dict]               # by key
    scored: dict[str, dict[str, dict]]     # by key and label
    timed: dict[str, list[dict]]           # by key, in the order written
    store: Store | None = None             # where arrays are; None for a file of expectations


class Change(NamedTuple):
    of: str    # a name in COUNTS or FORWARDS; of calls, calls.NETWORK.KIND
    before: float
    now: float

    def __str__(self) -> str:
        return f"{self.of} {self.before:.10g} before, {self.now:.10g} now"


def side(store: Store) -> Side:
    """A run as one side. Raises ValueError if a line of the store was left out: a gate on what is left could pass by
    accident.
    """
    if store.broken:
        raise ValueError(f"{store.folder} has a record that is not whole ({store.broken[0]}): remove its line, and "
                         "run the study again")
    scored: dict[str, dict[str, dict]] = {}
    timed: dict[str, list[dict]] = {}
    counted = {r["key"]: r for r in store.latest("counted", "key").values()}
    for record in store.latest("scored", "key", "label").values():
        scored.setdefault(record["key"], {})[record["label"]] = record
    for record in store.latest("timed", "key", "machine", "samples_sha256", "rows", "process").values():
        timed.setdefault(record["key"], []).append(record)
    return Side(str(store.folder), counted, scored, timed, store)


def expectations(path: Path) -> Side:
    """A file of counted records as one side. Raises ValueError, with the line, for one that is no such record, or whose
    key stood there before.
    """
    counted: dict[str, dict] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        where, again = f"{path} line {number}", "restore the file, or write it again with `ssmd-bench expect`"
        try:
            record = parsed(line)
        except Wrong as error:
            raise ValueError(f"{where}: {error}: {again}") from None
        try:
            if not isinstance(record, dict) or record.get("type") != "counted":
                raise Wrong("its type is another")
            record = upgrade(record)
            if record is not None:
                fitted(record, Expected)
        except Wrong as error:
            raise ValueError(f"{where} is not a counted record ({error}): give a run folder, or {again}") from None
        if record is None:
            raise ValueError(f"{where} was written by a newer version of the program: use that version")
        if record["key"] in counted:
            raise ValueError(f"{where} repeats the key {record['key']}: write the file again with `ssmd-bench expect`")
        counted[record["key"]] = record
    found = settled([*counted.values()]).records
    return Side(str(path), {record["key"]: record for record in found}, {}, {})


def named(record: dict) -> str:
    """A cell in a form for people: arm: sampler(settings)."""
    return f"{record['arm']}: {brief(record['cell']['sampler'])}"


def likeness(record: dict) -> str:
    """What a cell keeps when its networks or data are built again: the text is the same for both, their keys are
    not.
    """
    data = record["cell"].get("data")
    return canonical(record["cell"] | {"nets": None, "data": data.get("name") if isinstance(data, dict) else None})


def changes(before: dict, now: dict) -> list[Change]:
    """The counts of two costs that are not equal; a kind of call that one of them lacks was made 0 times, and what was
    not recorded is not compared.
    """
    a, b = _flat(before), _flat(now)
    if not {*FORWARDS} <= a.keys() & b.keys():
        a, b = ({name: value for name, value in side.items() if name not in FORWARDS} for side in (a, b))
    every = (Change(count, a.get(count, 0), b.get(count, 0)) for count in {**a, **b})
    return [c for c in every if abs(c.now - c.before) > ROUNDING * max(abs(c.now), abs(c.before))]


def _flat(cost: dict) -> dict[str, float]:
    return {f"calls.{call}": calls for call,
            calls in cost["calls"].items()} | {count: cost[count] for count in COUNTS[1:]} | {
                count: cost["forwards"][count] for count in FORWARDS if "forwards" in cost}
