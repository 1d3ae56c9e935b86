"""From an older schema to the next: STEPS[k] makes a record of schema k + 1 of one of schema k, and `settled` what
needs the records beside it.

**1 to 2.** A record no longer carries a hash of the modules that a cell can reach; it says which sources made it
(harness/records/provenance.py). The old hash stands in the place of theirs, so that records of one code still are of
one code and are proven by no other. A score and a time name the samples that they are of; the keys of scores hold no
code. A sampler whose order could be left out says it.

**2 to 3.** A dilated order is an order of a sampler, and no sampler around it.

Keys that change so are computed anew, here and in whatever names them; the arrays keep the names of their files.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from harness.boundary.incoming import Wrong
from harness.records.keys import cell_key, score_key
from harness.spec import canonical, sha256

ORDERED = ("any_order", "first_hitting", "fixed_count", "ssmd")    # samplers whose order JSON left out
WRAPPERS = ("dilated", "ssmd_dilated")    # samplers that put the order of a host in a dilated one
UNIFORM, DILATED = {"name": "uniform"}, {"name": "dilated"}
MOVED = "moved"    # until it is settled, the keys that a cell had, where it has another one now


def named_sources(old: dict) -> dict:
    """Schema 1 to 2, of one record."""
    if old.get("type") not in ("counted", "shard", "scored", "timed", "measured"):
        return old
    if "code" not in old:
        raise Wrong("the field `code` is missing")
    code = old["code"]
    if not isinstance(code, str):
        raise Wrong("the field `code` is wrong (expected a text)")
    new = old | {"made": {"tree": code, "torch": "", "numpy": ""}}
    new.pop("renewed", None)
    if old["type"] in ("scored", "timed"):
        new["samples_sha256"] = ""
    if isinstance(old.get("cell"), dict) and "sampler" in old["cell"]:
        sampler = with_order(old["cell"]["sampler"])
        if sampler != old["cell"]["sampler"]:
            new |= {"cell": old["cell"] | {"sampler": sampler}, MOVED: [str(old.get("key"))]}
    return new


def dilated_orders(old: dict) -> dict:
    """Schema 2 to 3, of one record."""
    cell = old.get("cell")
    if not isinstance(cell, dict) or (sampler := unwrapped(cell.get("sampler"))) == cell.get("sampler"):
        return old
    # a proof or a time of schema 2 beside a cell of schema 1 has the key of schema 2
    return old | {"cell": cell | {"sampler": sampler},
                  MOVED: [*old.get(MOVED, ()), str(old.get("key")), cell_key(cell)]}


STEPS: dict[int, Callable[[dict], dict]] = {1: named_sources, 2: dilated_orders}


def with_order(settings: Any) -> Any:
    """Settings of a sampler, and those within them, with the order that was left out."""
    if not isinstance(settings, dict):
        return settings
    settings = {name: with_order(inner) for name, inner in settings.items()}
    return settings | {"order": UNIFORM} if settings.get("name") in ORDERED and "order" not in settings else settings


def unwrapped(settings: Any) -> Any:
    """Settings of a sampler, and those within them, where the order of a host that another put in a dilated one is its
    own.
    """
    if not isinstance(settings, dict):
        return settings
    settings = {name: unwrapped(inner) for name, inner in settings.items()}
    host = settings.get("host")
    wraps = settings.get("name") in WRAPPERS and isinstance(host, dict) and host.get("name") in ORDERED
    return host | {"order": DILATED} if wraps else settings


class Settled(NamedTuple):
    records: list[dict]                       # with the keys of this schema
    names: dict[tuple[str, str], str]         # (room, key) -> the key that the file of an array may still have
    keys: dict[str, str]  # of cells: the key that they had -> that of this schema, where it is another


def settled(records: Sequence[dict]) -> Settled:
    """What the records of a store are, which were upgraded one by one."""
    if all(MOVED not in record and "code" not in record for record in records):
        return Settled(list(records), {}, {})
    keys = {before: cell_key(record["cell"]) for record in records for before in record.get(MOVED, ())}
    keys = {before: now for before, now in keys.items() if before != now}
    # old key -> code and sha256 of all that was counted, the oldest first
    samples: dict[str, dict[tuple[str, str], None]] = {}
    for record in records:
        if "code" in record and record["type"] == "counted" and record["status"] == "done":
            samples.setdefault(record["key"], {})[record["code"], record["samples_sha256"]] = None
    found, scores = [], dict[str, str]()    # of scores: the key that they had -> that of this schema
    for record in records:
        new = {name: value for name, value in record.items() if name not in (MOVED, "code")}
        if record["type"] == "timed" and "code" in record:
            new["samples_sha256"] = next((sha for code, sha in reversed(samples.get(record["key"], {}))
                                          if code == record["code"]), "")
        if record["type"] == "scored" and ("code" in record or record["key"] in keys):
            new |= _scored(record, keys, samples.get(record["key"], {}))
            scores[record["score_key"]] = new["score_key"]
        found.append(new)
    renamed = keys | scores
    found = [_renamed(record, renamed) for record in found]
    names = {now: before[1] for old, new in zip(records, found)
             for before, now in zip(_arrays(old), _arrays(new)) if before != now}
    return Settled(found, names, keys)


def _arrays(record: dict) -> list[tuple[str, str]]:
    """Room and name of the arrays of a record."""
    match record["type"]:
        case "counted":
            return [(room, record["key"]) for room in ("samples", "costs", "rows", "counts")]
        case "scored":
            return [("scores", record["score_key"])]
        case "shard":
            return [(room, f"{record['key']}.{record['shard'].replace('/', 'of')}")
                    for room in ("shard_samples", "shard_counts")]
    return []


def _scored(record: dict, keys: dict[str, str], samples: dict[tuple[str, str], None]) -> dict:
    """The key of a score without its code, and the samples that it is of, found by the key with it; as it was, and of
    none, where that does not come out.
    """
    key, about = record["key"], canonical(record["metric"].get("identity") or record["metric"])
    if "code" not in record:    # of schema 2, whose key was made in the same way
        sha = record["samples_sha256"]
        same = score_key(key, sha, about) == record["score_key"]
        return {"score_key": score_key(keys[key], sha, about)} if same else {}
    text = canonical(about)    # schema 1 had it as a text
    for _, sha in reversed(samples):
        if (
            hashlib.sha256(f'["{key}","{sha}",{text},"{record["code"]}"]'.encode()).hexdigest()[:24]
            == record["score_key"]
        ):
            return {"score_key": score_key(keys.get(key, key), sha, about), "samples_sha256": sha}
    return {"score_key": record["score_key"], "samples_sha256": ""}


def _renamed(record: dict, keys: dict[str, str]) -> dict:
    if record.get("key") in keys:
        record = record | {"key": keys[record["key"]]}
    if isinstance(record.get("cells"), dict) and not keys.keys().isdisjoint(record["cells"]):
        record = record | {"cells": {keys.get(key, key): about for key, about in record["cells"].items()}}
        if record["type"] == "measured":    # as harness/records/measured.py makes it of what it rests on
            record |= {"key": sha256([record[name] for name in ("study", "name", "settings", "cells")])[:24]}
    if record["type"] == "measured" and "key" in record["columns"]:
        place = record["columns"].index("key")    # of the cell that a row is of
        record = record | {"rows": [[*row[:place], keys.get(str(row[place]), row[place]), *row[place + 1:]]
                                    for row in record["rows"]]}
    return record
