"""Measured records: tables that a study computes from its cells beside their scores, each once.

A study module may define `measure(study, store) -> list of records`; `ssmd-bench run` calls it when the cells are scored. It asks for each of its
tables through `once`, which computes only what the store does not hold for the same name, settings, samples and code. A record is

    {"type": "measured", "key", "study", "name", "settings", "cells": {key: hash of its samples}, "columns": [...], "rows": [[...]], "code"}

and reports draw its rows as they stand; None is a value that is not there.
"""

from collections.abc import Callable, Sequence

from harness.spec import code_hash, sha256
from harness.store import Store

Table = list[list]


def once(store: Store, study: str, name: str, columns: Sequence[str], compute: Callable[[], Table], cells: Sequence[dict], modules: Sequence[str], **settings) -> dict:
    """The stored record, or the one that `compute` makes. cells: the counted records it rests on; modules: those whose change makes it stale."""
    rests_on = {record["key"]: record["samples_sha256"] for record in cells}
    key, code = sha256([study, name, settings, rests_on])[:24], code_hash(tuple(sorted(modules)))
    old = store.latest("measured", "key").get((key,))
    if old and old["code"] == code:
        return old
    rows = compute()
    assert rows and all(len(row) == len(columns) for row in rows), f"{name}: {len(columns)} columns a row"
    return store.append({"type": "measured", "key": key, "study": study, "name": name, "settings": settings, "cells": rests_on,
                         "columns": list(columns), "rows": rows, "code": code})


def newest(store: Store, name: str) -> dict | None:
    """The last measured record of this name; None if nothing was measured."""
    return next((record for record in reversed(store.of("measured")) if record["name"] == name), None)


def column(record: dict, name: str, **where) -> list:
    """One column of the rows whose other columns have these values."""
    place = {c: k for k, c in enumerate(record["columns"])}
    return [row[place[name]] for row in record["rows"] if all(row[place[k]] == v for k, v in where.items())]
