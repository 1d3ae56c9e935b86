"""Measured records: tables that a study computes from its cells beside their scores, each once.

A study module may define `measure(study, store) -> list of records`; `ssmd-bench run` calls it when the cells are
scored. It asks for each of its tables through `once`, which computes only what the store does not hold for the same
name, settings and samples. A record is

    {"type": "measured", "key", "study", "name", "settings", "cells": {key: hash of its samples}, "columns": [...],
    "rows": [[...]], "made"}

and reports draw its rows as they stand; None is a value that is not there. A table belongs to the commit that measured
it, as times do: no change of code makes it stale. Whoever changes what a table means gives it another name, or a
setting more; `run --measure-again` computes all tables anew.
"""

from collections.abc import Callable, Sequence

from harness.records import provenance
from harness.records.store import Store
from harness.spec import sha256

Table = list[list]


_again = False


def again() -> None:
    """From now on tables are computed that the store holds."""
    global _again
    _again = True


def cached_table(store: Store, study: str, name: str, columns: Sequence[str], compute: Callable[[], Table],
         cells: Sequence[dict], **settings) -> dict:
    """The stored record, or the one that `compute` makes. cells: the counted records it rests on."""
    rests_on = {record["key"]: record["samples_sha256"] for record in cells}
    key = sha256([study, name, settings, rests_on])[:24]
    old = store.latest("measured", "key").get((key,))
    if old and not _again:
        return old
    rows = compute()
    assert rows and all(len(row) == len(columns) for row in rows), f"{name}: {len(columns)} columns a row"
    return store.append({"type": "measured", "key": key, "study": study, "name": name, "settings": settings,
                         "cells": rests_on,
                         "columns": list(columns), "rows": rows, "made": provenance.made()})


def newest(store: Store, name: str) -> dict | None:
    """The last measured record of this name; None if nothing was measured."""
    return next((record for record in reversed(store.of("measured")) if record["name"] == name), None)


def column(record: dict, name: str, **where) -> list:
    """One column of the rows whose other columns have these values."""
    place = {c: k for k, c in enumerate(record["columns"])}
    return [row[place[name]] for row in record["rows"] if all(row[place[k]] == v for k, v in where.items())]
