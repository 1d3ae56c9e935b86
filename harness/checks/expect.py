"""Expectations: the counts of a run, committed, so that a gate needs no older run to compare with.

A line holds what the counts tier reads of a counted record, and nothing that changes from run to run: the same counts
by the same code on the same machine give the same file. CHANGELOG.md says what changed.
"""

from pathlib import Path
from textwrap import fill
from typing import Any

from harness.boundary.atomic import write_text
from harness.boundary.incoming import read_text
from harness.checks.side import COUNTS, changes, expectations, likeness, named, side
from harness.records.record import SCHEMA
from harness.records.store import Store
from harness.spec import ROOT, canonical

KEPT = ("type", "key", "study", "arm", "control", "cell", "made", "machine", "status", "reason", "samples_sha256")
SECTION = "## Unreleased"


def expect(store: Store, path: Path, changelog: Path) -> dict[str, int | str]:
    """Write the expectations of a run, and a line on what changed, if anything did; what happened, in numbers.

    Raises ValueError, before anything is written, if a cell of the run failed or none is done, if the old file is
    corrupt, or if the log has no "## Unreleased".
    """
    found = side(store).counted
    if wrong := [r for r in found.values() if r["status"] in ("failed", "timeout")]:
        raise ValueError(f"{len(wrong)} cells of {store.folder} failed, the first is {named(wrong[0])}: expectations "
                         "are of a run that did not; run its study again")
    done = sorted((r for r in found.values() if r["status"] == "done"), key=lambda r: (r["arm"], r["key"]))
    if not done:
        raise ValueError(f"{store.folder} has no finished cell to expect anything of: run its study first")
    old = expectations(path).counted if path.exists() else {}
    said, tally = _change(old, {r["key"]: r for r in done})
    place = path.resolve().relative_to(ROOT) if ROOT in path.resolve().parents else path
    entry = (
        fill(f"- `{place}`: {said}.", 170, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        if said
        else ""
    )
    log = _inserted(changelog, entry) if entry else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(canonical(_line(r)) + "\n" for r in done))
    if entry:
        write_text(changelog, log)
    return {"expectations": str(path), "cells": len(done), **tally, "changelog": entry}


def _line(record: dict) -> dict:
    return {"schema": SCHEMA} | {name: record[name] for name in KEPT
                                 if name in record} | {"cost": {count: record["cost"][count]
                                                                for count in (*COUNTS, "forwards")
                                                                if count in record["cost"]}}


def _change(old: dict[str, dict], now: dict[str, dict]) -> tuple[str, dict[str, int]]:
    """What to say in the log, and how many cells changed, are new, are gone. A cell whose networks or data were built
    again is one cell.
    """
    alike = {likeness(r): r for key, r in old.items() if key not in now}
    before: dict[str, Any] = {key: old.get(key) or alike.pop(likeness(r), None) for key, r in now.items()}
    changed = [(r, found) for key, r in now.items() if before[key]
               and (found := changes(before[key]["cost"], r["cost"]))]
    kept = {r["key"] for r in before.values() if r}
    fresh, gone = [r for key, r in now.items() if not before[key]], [r for key, r in old.items() if key not in kept]
    parts = [f"{named(r)}: {', '.join(map(str, found))}" for r, found in changed]
    if old:
        parts += [f"{named(r)}: {word}" for word, records in (("new", fresh), ("no more", gone)) for r in records]
    elif fresh:
        parts = [f"new, {len(fresh)} cells"]
    return "; ".join(parts), {"changed": len(changed), "new": len(fresh), "gone": len(gone)}


def _inserted(changelog: Path, entry: str) -> str:
    """The log with the entry as the last of what is not released."""
    log = read_text(changelog, "give a Markdown file saved as UTF-8").replace("\r\n", "\n")
    head, section, rest = f"\n{log.rstrip()}\n".partition(f"\n{SECTION}\n")
    if not section:
        raise ValueError(f"{changelog} has no {SECTION!r}: add that heading, under which changes are said")
    body, following, tail = rest.partition("\n## ")
    return f"{head}{section}{body.rstrip()}\n{entry}\n{following}{tail}"[1:]
