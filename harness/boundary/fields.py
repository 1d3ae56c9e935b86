"""What the fields of a study may be: wrong types and values are named, with their field and the remedy, before anything
runs.

A kind is a function of a value that says what is wrong with it, or nothing.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from math import isfinite
from os import PathLike
from typing import Any

from harness.boundary.nearest import meant

ROWS, SEEDS, BATCH = 2**32, 2**64, 2**20    # a draw knows its row by 32 bits and its seed by 64 (harness/random.py)
LONGEST = 100                               # characters of a name
Kind = Callable[[Any], str]                 # what is wrong with a value, or nothing


def first(owner: str, thing: Any, kinds: Mapping[str, Kind]) -> None:
    """Raises ValueError for the first field that is not of its kind."""
    for name, kind in kinds.items():
        if wrong := kind(getattr(thing, name)):
            raise ValueError(f"{owner}: {name} {wrong}")


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def whole(low: int, high: int) -> Kind:
    def wrong(value: Any) -> str:
        good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return "" if good else f"must be a whole number of at least {low} and at most {high}, not {shown(value)}"
    return wrong


def number(low: float = -float("inf"), high: float = float("inf"), above: bool = False, below: bool = False,
           endless: bool = False) -> Kind:
    """`above` low, `below` high; `endless`: infinity is one."""
    def wrong(value: Any) -> str:
        good = (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and low <= value <= high
            and (endless or isfinite(value))
        )
        good = good and not (above and value == low) and not (below and value == high)
        span = f"{'above' if above else 'of at least'} {low:g}" + (f" and {'below' if below else 'at most'} {high:g}"
                                                                   if isfinite(high) else "")
        return "" if good else f"must be a number {span}, not {shown(value)}"
    return wrong


def real(value: Any) -> str:
    """A number; which ones are allowed is said elsewhere."""
    return "" if isinstance(value, (int, float)) and not isinstance(value, bool) else ("must be a number, not "
                                                                                       f"{shown(value)}")


def text(remedy: str) -> Kind:
    def wrong(value: Any) -> str:
        return "" if isinstance(value, str) and value.strip() else f"must be a text, not {shown(value)}: {remedy}"
    return wrong


def path(value: Any) -> str:
    return "" if isinstance(value, (str, PathLike)) and str(value).strip() else ("must be the path of a file, not "
                                                                                 f"{shown(value)}")


def truth(value: Any) -> str:
    return "" if isinstance(value, bool) else f"must be True or False, not {shown(value)}"


def one_of(*known: str) -> Kind:
    def wrong(value: Any) -> str:
        return "" if isinstance(value, str) and value in known else (f"is {shown(value)}, which is not allowed; choose "
                                                                     f"{' | '.join(known)}")
    return wrong


def a(cls: type, example: str, empty: bool = False) -> Kind:
    """An instance of a class of ours; `empty`: or None."""
    def wrong(value: Any) -> str:
        return (
            ""
            if isinstance(value, cls) or empty and value is None
            else (f"must be {example}{' or None' if empty else ''}, not {shown(value)}")
        )
    return wrong


def file_name(value: Any) -> str:
    """A name that files are called by: it must not lead out of its folder."""
    if (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST
        and re.fullmatch(r"[^\W_][\w .,+=()@-]*", value)
        and not value.endswith((" ", "."))
    ):
        return ""
    return (f"{shown(value)} is no plain file name, and folders and files are called by it: use letters, digits, - and "
            f"_, at most {LONGEST} of them")


def label(value: Any) -> str:
    """A name that pages show."""
    good = isinstance(value, str) and value.strip() and len(value) <= LONGEST and value.isprintable()
    return "" if good else f"{shown(value)} cannot be shown: use a text of 1 to {LONGEST} printable characters"


def many(kind: Kind, example: str) -> Kind:
    """A list or tuple whose items are of a kind."""
    def wrong(value: Any) -> str:
        if not isinstance(value, Sequence) or isinstance(value, str):
            return f"must be a list, as in {example}, not {shown(value)}"
        return next((f"holds {shown(item)}, which {found}" for item in value if (found := kind(item))), "")
    return wrong


def table(kind: Kind, example: str) -> Kind:
    """A dictionary from names to values of a kind."""
    def wrong(value: Any) -> str:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            return f"must be a dictionary, as in {example}, not {shown(value)}"
        return next((f"has {key!r}: {shown(item)}, which {found}" for key, item in value.items()
                     if (found := kind(item))), "")
    return wrong


def has(verbs: Sequence[str], what: str, example: str, attributes: Sequence[str] = (), settings: bool = True) -> Kind:
    """An object with these methods and attributes, such as a plug-in; attributes that are computed are not asked
    for.
    """
    missing = object()

    def wrong(value: Any) -> str:
        if isinstance(value, type):
            return f"is a class and no {what}: write {example}"
        lacks = [verb for verb in verbs if not callable(getattr(value, verb, None))] + [
            name for name in attributes if inspect.getattr_static(value, name, missing) is missing
        ]
        if lacks:
            return f"is no {what}, it has no {lacks[0]!r}: write for instance {example}"
        if is_dataclass(value) or not settings:
            return ""
        return ("is no frozen dataclass, whose fields are its settings: put @dataclass(frozen=True) before class "
                f"{type(value).__name__}")
    return wrong


def point(value: Any) -> str:
    """A sampler or a control."""
    verb = "control" if not isinstance(value, type) and hasattr(value, "control") else "step"
    if wrong := has((verb,), "sampler", "Ancestral(8)", ("name",))(value):
        return wrong
    needs = getattr(value, "needs", ())
    good = verb == "control" or isinstance(needs, (tuple, list)) and all(isinstance(need, str) for need in needs)
    return "" if good else f"needs {shown(needs)}, which is no tuple of roles: write needs = (\"main\",)"


def roles(nets: Mapping[str, str], points: Iterable[Any]) -> str:
    """What is wrong with the roles that networks are given: one that no sampler has is a slip."""
    samplers = [point for point in points if not hasattr(point, "control")]
    known = {need.partition(".")[0] for sampler in samplers for need in sampler.needs}
    if not samplers or not known:
        return ""
    return next((f"gives a network to the role {role!r}, which no sampler of it "
                 f"has{meant(role, known) or '; they have ' + ', '.join(sorted(known))}"
                 for role in nets if role not in known), "")
