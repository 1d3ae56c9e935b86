"""What --plugins may bring to a page. Plots; and the data set that a record names, where it is here: found by its name,
and taken only if its identity is that of the record.

No sampler and no network is needed. Text that comes by path, and data that has changed since, is not found; then a page
shows what the records alone hold.
"""

import json
from dataclasses import fields
from functools import lru_cache
from pathlib import PurePath
from types import ModuleType

from harness import plugins
from harness.spec import from_json
from reports import drawing
from reports.text import plain

LENGTHS = ("moses",)    # data whose prompts give the end symbol and nothing else
FILES = ("blanks", "prompts")    # data whose file holds the prompts


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
    """The class of a record's `data`, whether or not its file is here; of data around other data that of the inner."""
    return kind_of(about["data"]) if isinstance(about.get("data"), dict) else _class(about)


def _class(about: dict) -> type | None:
    return plugins.find("rows", ("harness.data",)).get(about.get("name", ""))


def readable(about: dict, said: dict | None = None):
    """The data set of a record's `data`; if it is not here, the one that it stands around, where the tokens of both are
    the same. None without either.
    """
    if (found := data_set(about, said)) is not None:
        return found
    return readable(about["data"], (said or {}).get("data")) if same_tokens(about) else None


def same_tokens(about: dict) -> bool:
    """Whether a record's `data` stands around other data and has its tokens, as Blanks has; Recounted numbers anew."""
    return isinstance(about.get("data"), dict) and not hasattr(_class(about), "counted")


def gives_prompts(about: dict) -> bool:
    """Whether the data set of a record gives the prompts, as it does for the runner: by its method `prompts`. One that
    is a property may be lacking, and around other data it is theirs.
    """
    given = getattr(_class(about), "prompts", None)
    if isinstance(given, property) and isinstance(about.get("data"), dict):
        return gives_prompts(about["data"])
    return given is not None and about.get("ends") is not False


def prompts_of(about: dict, said: dict | None = None) -> str:
    """What the data set gives its prompts from, in words: the file's name where the study said it."""
    if not gives_prompts(about):
        return ""
    if isinstance(about.get("data"), dict) and isinstance(getattr(_class(about), "prompts", None), property):
        return prompts_of(about["data"], (said or {}).get("data"))
    if about["name"] in LENGTHS:
        return "lengths alone"
    path = (said or {}).get("path") if about["name"] in FILES else None
    return f"prompts of {plain(PurePath(path).name if path else about['name'])}"


def given(cell: dict, said: dict | None = None) -> str:
    """What each row of a record's `cell` was given, in words."""
    if prompt := cell.get("prompt"):
        share = prompt.get("share") if isinstance(prompt, dict) else None
        return "prompted" if share is None else f"prompted by {share:.3g} of each held-out row"
    found = prompts_of(cell["data"], said)
    return f"given {found}" if found else "unprompted"


def own_plots() -> list[ModuleType]:
    """Those of --plugins. Raises ValueError for one that is not whole or is named as one of ours."""
    found = plugins.plots()
    for plot in found:
        if (name := plot.__name__.rpartition(".")[2]) in drawing.NAMES:
            raise ValueError(f"there is a plot {name!r} already, reports/plots/{name}.py: rename {plot.__file__}")
    return found
