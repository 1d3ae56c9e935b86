"""From an older schema to the next: STEPS[k] makes a record of schema k + 1 of one of schema k, and `settled` what
needs the records beside it.

**1 to 2.** A record no longer carries a hash of the modules that a cell can reach; it says which sources made it
(harness/records/provenance.py). The old hash stands in the place of theirs, so that records of one code still are of
one code and are proven by no other. A score and a time name the samples that they are of; the keys of scores hold no
code. A sampler whose order could be left out says it. Keys that change so are computed anew, here and in whatever names
them; the arrays keep the names of their files.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from harness.boundary.incoming import Wrong
from harness.records.keys import cell_key, score_key
from harness.spec import canonical, sha256

ORDERED = ("any_order", "first_hitting", "fixed_count", "ssmd")    # samplers whose order JSON left out
ROOMS_OF = {"counted": ("samples", "costs"), "scored": ("scores",)}
UNIFORM = {"name": "uniform"}
MOVED = "moved"    # marks, until it is settled, a record whose cell has another key now


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
            new |= {"cell": old["cell"] | {"sampler": sampler}, MOVED: True}
    return new


STEPS: dict[int, Callable[[dict], dict]] = {1: named_sources}


def with_order(settings: Any) -> Any:
    """Settings of a sampler, and those within them, with the order that was left out."""
    if not isinstance(settings, dict):
        return settings
    settings = {name: with_order(inner) for name, inner in settings.items()}
    return settings | {"order": UNIFORM} if settings.get("name") in ORDERED and "order" not in settings else settings


class Settled(NamedTuple):
    records: list[dict]                       # with the keys of this schema
    names: dict[tuple[str, str], str]         # (room, key) -> the key that the file of an array still has
    keys: dict[str, str]  # of cells: the key that they had -> that of this schema, where it is another


def settled(records: Sequence[dict]) -> Settled:
    """What the records of a store are, which were upgraded one by one."""
    old = [record for record in records if "code" in record]
    if not old:
        return Settled(list(records), {}, {})
    keys = {record["key"]: cell_key(record["cell"]) for record in old if record.get(MOVED)}
    # old key -> code and sha256 of all that was counted, the oldest first
    samples: dict[str, dict[tuple[str, str], None]] = {}
    names: dict[tuple[str, str], str] = {}
    for record in old:
        if record["type"] == "counted" and record["status"] == "done":
            samples.setdefault(record["key"], {})[record["code"], record["samples_sha256"]] = None
    for before, now in keys.items():
        if before != now:
            names |= {(room, now): before for room in ("samples", "costs")}
    found = []
    for record in records:
        if "code" not in record:    # of this schema: its arrays have its own name
            for room in ROOMS_OF.get(record["type"], ()):
                names.pop((room, record["score_key" if room == "scores" else "key"]), None)
            found.append(_renamed(record, keys))
            continue
        new = dict(record)
        del new["code"]
        new.pop(MOVED, None)
        if record["type"] == "timed":
            new["samples_sha256"] = next((sha for code, sha in reversed(samples.get(record["key"], {}))
                                          if code == record["code"]), "")
        if record["type"] == "scored":
            new |= _scored(record, keys, samples.get(record["key"], {}))
            if new["score_key"] != record["score_key"]:
                names["scores", new["score_key"]] = record["score_key"]
        found.append(_renamed(new, keys))
    return Settled(found, names, {before: now for before, now in keys.items() if before != now})


def _scored(record: dict, keys: dict[str, str], samples: dict[tuple[str, str], None]) -> dict:
    """The key of a score without its code, and the samples that it is of, found by the key with it; as it was, and of
    none, where that does not come out.
    """
    key, about = record["key"], canonical(record["metric"].get("identity") or record["metric"])
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
    return record
