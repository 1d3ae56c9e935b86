"""Where a sweep looks: read from the fields of a sampler, param(default, Range | Choice), and of the dataclasses that they nest.

A path names the way to a field, and each choice on it: `rounds`, `window`, `window.cosine.delta`, `schedule.polynomial.exponent`. A narrower Range or
Choice may be given for a path; a Choice of one value fixes it. `temperature`, which belongs to the arm, is searched only where a space is given, and so is a
tuple, such as the segments of a model schedule: Subset(8) searches all sets of 0 .. 7, each number in or out by itself. Beside a tuple, whose numbers
must fit them, other fields are searched only where a space is given; and a choice that holds a tuple (a searched grid) is one of the choices only where a space names it.

    >>> from harness.window import Cosine
    >>> [place.path for place in places(Cosine(), {})]
    ['delta']
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple, Protocol

from harness.param import Choice, Range, space_of
from harness.spec import brief, to_json


@dataclass(frozen=True)
class Subset:
    """Some of 0 .. of - 1, of a tuple."""

    of: int

    def __str__(self) -> str:
        return f"some of 0..{self.of - 1}"


class Fitting(NamedTuple):
    """What a tuple may hold: whatever the settings that it belongs to accept."""

    settings: Any
    field: str

    def admits(self, value: Any) -> bool:
        try:
            return bool(replace(self.settings, **{self.field: value}))
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"what {self.settings} admits"


Space = Range | Choice | Subset
TEMPERATURE = "temperature"


class Ask(Protocol):
    """What answers: an Optuna trial, or the parameters of one that is done."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int: ...
    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float: ...
    def suggest_categorical(self, name: str, choices: list) -> Any: ...


class Place(NamedTuple):
    path: str
    space: Space     # that is searched
    own: Space | Fitting    # of the field
    value: Any       # where the search begins; its type decides between whole and real numbers


def _named(choice: Choice) -> dict[Any, Any]:
    """Label -> value. Values that are dataclasses go by their name; two of one class by their settings, and then nothing inside them is searched."""
    names = [getattr(v, "name", None) for v in choice.values]
    return {v if not is_dataclass(v) else v.name if names.count(v.name) == 1 else brief(to_json(v)): v for v in choice.values}    # type: ignore[union-attr]


def _inside(label: Any, value: Any) -> bool:
    return is_dataclass(value) and label == value.name    # type: ignore[union-attr]


def _here(settings: Any, space: Mapping[str, Space], path: str) -> Iterator[tuple[str, Place]]:
    tuples = [f.name for f in fields(settings) if isinstance(getattr(settings, f.name), tuple)]
    for f in fields(settings):
        own, given, value = Fitting(settings, f.name) if f.name in tuples else space_of(f), space.get(path + f.name), getattr(settings, f.name)
        if given or own is not None and not tuples:
            yield f.name, Place(path + f.name, given or _open(own, value, [p for p in space if p.startswith(f"{path}{f.name}.")]), own, value)    # type: ignore[arg-type]


def _open(own: Space, value: Any, named: list[str]) -> Space:
    """A choice without the dataclasses that hold a tuple, unless the field holds such a one or a path of the space names it."""
    if not isinstance(own, Choice):
        return own
    closed = [v for v in own.values if is_dataclass(v) and any(isinstance(getattr(v, f.name), tuple) for f in fields(v))]
    return Choice(*(v for v in own.values if v not in closed or type(v) is type(value) or any(f".{v.name}." in f".{path}" for path in named)))


def places(settings: Any, space: Mapping[str, Space], path: str = "") -> Iterator[Place]:
    """Every field that could be searched, on every branch."""
    for _, place in _here(settings, space, path):
        yield place
        if isinstance(place.space, Choice):
            for label, value in _named(place.space).items():
                if _inside(label, value):
                    yield from places(value, space, f"{place.path}.{label}.")


def checked(settings: Any, space: Mapping[str, Space]) -> list[Place]:
    """The places searched. Raises ValueError for a path that leads nowhere and for values that the field would refuse."""
    found = list(places(settings, space))
    known = {place.path: place for place in found}
    if unknown := set(space) - set(known) - {TEMPERATURE}:
        raise ValueError(f"{settings.name} has no {sorted(unknown)[0]!r} to search; it has {', '.join([*known, TEMPERATURE])}")
    for path, narrow in space.items():
        ends = narrow.values if isinstance(narrow, Choice) else (tuple(range(narrow.of)),) if isinstance(narrow, Subset) else (narrow.low, narrow.high)
        if not ends or isinstance(narrow, Range) and not 0 <= narrow.low * narrow.log <= narrow.low <= narrow.high:
            raise ValueError(f"the space of {path!r} is empty, or a logarithm of nothing: give a Range(low, high) or a Choice of at least one value")
        if path in known and isinstance(narrow, Subset) != isinstance(known[path].own, Fitting):
            raise ValueError(f"{settings.name}: a Subset searches a tuple, and a tuple is searched by a Subset: {path} is given {narrow}")
        if path in known and (wrong := [v for v in ends if not known[path].own.admits(v)]):    # type: ignore[union-attr]
            raise ValueError(f"{settings.name}: {path} cannot be {wrong[0]!r}; search within {known[path].own}")
    return found


def _pick(ask: Ask, place: Place) -> tuple[Any, Any]:
    """(label, value)"""
    space = place.space
    if isinstance(space, Subset):
        return None, tuple(k for k in range(space.of) if ask.suggest_categorical(f"{place.path}.{k}", [False, True]))
    if isinstance(space, Range):
        whole = isinstance(place.value, int)
        low, high = (int(space.low), int(space.high)) if whole else (float(space.low), float(space.high))
        found = low if low == high else (ask.suggest_int if whole else ask.suggest_float)(place.path, low, high, log=space.log)    # type: ignore[arg-type]
        return None, found
    named = _named(space)
    label = next(iter(named)) if len(named) == 1 else ask.suggest_categorical(place.path, list(named))
    return label, named[label]


def suggest(ask: Ask, settings: Any, space: Mapping[str, Space], path: str = "") -> Any:
    """The settings with every searched field replaced by what `ask` answers."""
    changes = {}
    for name, place in _here(settings, space, path):
        label, value = _pick(ask, place)
        changes[name] = suggest(ask, value, space, f"{place.path}.{label}.") if _inside(label, value) else value
    return replace(settings, **changes)


def suggest_temperature(ask: Ask, temperature: float, space: Mapping[str, Space]) -> float:
    given = space.get(TEMPERATURE)
    return float(_pick(ask, Place(TEMPERATURE, given, given, temperature))[1]) if given else temperature
