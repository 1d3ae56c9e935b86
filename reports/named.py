"""What --plugins may bring to a page. Plots; and the data set that a record names, where it is here: found by its name,
and taken only if its identity is that of the record.

No sampler and no network is needed. Text that comes by path, and data that has changed since, is not found; then a page
shows what the records alone hold.
"""

import json
from dataclasses import fields
from functools import lru_cache
from types import ModuleType

from harness import plugins
from harness.spec import from_json
from reports import drawing


def data_set(about: dict, said: dict | None = None):
    """The data set of a record's `data`, or None. One that comes by path is found by what its study `said`, if its file
    still gives the same.
    """
    found = _found(json.dumps(about, sort_keys=True))
    return found if found is not None or not said else _by_path(json.dumps(about, sort_keys=True), json.dumps(said))


@lru_cache(maxsize=8)
def _by_path(identity: str, said: str):
    try:
        data = from_json("rows", json.loads(said))
        return data if json.loads(json.dumps(data.identity())) == json.loads(identity) else None
    except (TypeError, ValueError, OSError):    # it is gone, or another
        return None


@lru_cache(maxsize=8)
def _found(identity: str):
    about = json.loads(identity)
    cls = plugins.find("rows", ("harness.data",)).get(about.get("name"))
    if cls is None:
        return None
    try:
        given = {f.name: about[f.name] for f in fields(cls) if f.name in about}
        given |= {name: data_set(value) for name, value in given.items() if isinstance(value, dict)}    # rows of others
        if None in given.values():
            return None
        data = cls(**given)
        return data if json.loads(json.dumps(data.identity())) == about else None
    except (TypeError, ValueError, OSError):  # it comes by path, or is not whole
        return None


def kind_of(about: dict) -> type | None:
    """The class of a record's `data`, whether or not its file is here."""
    return plugins.find("rows", ("harness.data",)).get(about.get("name", ""))


def own_plots() -> list[ModuleType]:
    """Those of --plugins. Raises ValueError for one that is not whole or is named as one of ours."""
    found = plugins.plots()
    for plot in found:
        if (name := plot.__name__.rpartition(".")[2]) in drawing.NAMES:
            raise ValueError(f"there is a plot {name!r} already, reports/plots/{name}.py: rename {plot.__file__}")
    return found
