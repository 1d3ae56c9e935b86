"""Where a sweep looks: among the fields of a sampler, param(default, Range | Choice), and of the dataclasses they nest.

A path names the way to a field, and each choice on it: `rounds`, `window`, `window.cosine.delta`.

    a space is given    the fields that it names are searched and no other; the rest keeps the value of the sampler,
                        or of the choice that holds it
    no space            every field with a declared Range or Choice is searched, on every branch

What counts parts of a text (tokens, teeth, pieces) is never searched beyond the length of the text, whatever the range
says. A Choice of one value fixes a field. Only a space reaches `temperature`, which belongs to the arm, and a tuple,
such as the segments of a model schedule: Subset(8) searches all sets of 0 .. 7, each number in or out by itself.
Without a space, fields beside a tuple, whose numbers must fit them, stay as they are, and so does a choice that holds a
tuple.

    >>> from harness.schedules.window import Cosine, Fixed
    >>> [place.path for place in places(Cosine(), {}, length=64)]
    ['delta']
    >>> [str(place.space) for place in places(Fixed(), {"tokens": Range(2, 4096)}, length=64)]
    ['2..64']
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from math import isfinite
from typing import Any, NamedTuple, Protocol

from harness.param import Choice, Range, space_of
from harness.spec import brief, to_json


@dataclass(frozen=True)
class Subset:
    """Some of 0 .. of - 1, of a tuple. Each number is in or out by itself."""

    of: int

    def __str__(self) -> str:
        return f"some of 0..{self.of - 1}"


class Fitting(NamedTuple):
    """What a tuple may hold: whatever the settings that it belongs to accept."""

    settings: Any
    field: str

    def admits(self, value: Any) -> bool:
        """Whether the settings accept the value in that field; a ValueError of theirs is a no."""
        try:
            return bool(replace(self.settings, **{self.field: value}))
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"what {self.settings} admits"


Space = Range | Choice | Subset
TEMPERATURE = "temperature"
MOST = 64    # parts of a Subset: each is a question of its own
PARTS = ("tokens", "teeth", "pieces")    # names of fields that count parts of a text


class Ask(Protocol):
    """What answers: an Optuna trial, or the parameters of one that is done."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int: ...
    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float: ...
    def suggest_categorical(self, name: str, choices: list) -> Any: ...


class Place(NamedTuple):
    """One field that is searched: the path to it, what is searched, and what the field itself would take."""

    path: str
    space: Space     # that is searched
    own: Range | Choice | Fitting | None    # of the field
    value: Any       # where the search begins; its type decides between whole and real numbers


def _named(choice: Choice) -> dict[Any, Any]:
    """Label -> value. Values that are dataclasses go by their name; two of one class by their settings, and then
    nothing inside them is searched.
    """
    names = [getattr(v, "name", None) for v in choice.values]
    return {v if not is_dataclass(v) else name if names.count(name) == 1 else brief(to_json(v)): v
            for v, name in zip(choice.values, names)}


def _inside(label: Any, value: Any) -> bool:
    return hasattr(value, "__dataclass_fields__") and label == value.name


def _here(settings: Any, space: Mapping[str, Space], length: int, path: str) -> Iterator[tuple[str, Place]]:
    tuples = [f.name for f in fields(settings) if isinstance(getattr(settings, f.name), tuple)]
    for f in fields(settings):
        here, value = path + f.name, getattr(settings, f.name)
        own = Fitting(settings, f.name) if f.name in tuples else space_of(f)
        if here in space:
            wanted = space[here]
        elif is_dataclass(value) and any(named.startswith(f"{here}.") for named in space):
            wanted = Choice(value)    # it stays, and something inside it is searched
        elif not space and not tuples and isinstance(own, (Range, Choice)):
            wanted = _open(own, value)
        else:
            continue
        yield f.name, Place(here, _cut(wanted, f.name, length), own, value)


def _open(own: Range | Choice, value: Any) -> Space:
    """A choice without the dataclasses that hold a tuple, unless the field holds such a one."""
    if not isinstance(own, Choice):
        return own
    closed = [v for v in own.values
              if is_dataclass(v) and any(isinstance(getattr(v, f.name), tuple) for f in fields(v))]
    return Choice(*(v for v in own.values if v not in closed or type(v) is type(value)))


def _cut(space: Space, name: str, length: int) -> Space:
    """Without what lies beyond the text, which samples as its length does; a range that begins there is `checked`."""
    if name in PARTS and isinstance(space, Range) and space.low <= length < space.high:
        return Range(space.low, length, space.log)
    return space


def places(settings: Any, space: Mapping[str, Space], length: int, path: str = "") -> Iterator[Place]:
    """Every field that is searched, on every branch, of a text of so many places."""
    for _, place in _here(settings, space, length, path):
        yield place
        if isinstance(place.space, Choice):
            for label, value in _named(place.space).items():
                if _inside(label, value):
                    yield from places(value, space, length, f"{place.path}.{label}.")


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _heats(space: Space) -> bool:
    values = (space.low, space.high) if isinstance(space, Range) else getattr(space, "values", ())
    return all(_finite(value) and value > 0 for value in values) and not isinstance(space, Subset)


def checked(settings: Any, space: Mapping[str, Space], length: int) -> list[Place]:
    """The places searched. Raises ValueError for a path that leads nowhere and for values that the field would
    refuse.
    """
    for path, narrow in space.items():
        if not isinstance(narrow, Space):
            raise ValueError(f"the space of {path!r} is {narrow!r}: "
                             "give a Range(low, high), a Choice of values or, for a tuple, a Subset")
        if isinstance(narrow, Range) and not all(map(_finite, (narrow.low, narrow.high))):
            raise ValueError(f"the space of {path!r} is {narrow.low!r} to {narrow.high!r}: give a Range of two finite "
                             "numbers")
        if isinstance(narrow, Subset) and not (isinstance(narrow.of, int) and 1 <= narrow.of <= MOST):
            raise ValueError(f"the space of {path!r} is a Subset of {narrow.of!r}: give a Subset of 1 to {MOST} parts")
        if path == TEMPERATURE and not _heats(narrow):
            raise ValueError(f"the space of {path!r} is {narrow!r}: give a Range or a Choice of finite numbers above 0")
    found = list(places(settings, space, length))
    known = {place.path: place for place in found}
    if unknown := sorted(set(space) - set(known) - {TEMPERATURE}):
        every = [place.path for place in places(settings, {}, length)]
        if unknown[0] in every:
            raise ValueError(f"{settings.name}: {unknown[0]!r} lies inside a choice that the space does not make: "
                             "name the choice in the space too")
        raise ValueError(f"{settings.name} has no {unknown[0]!r} to search; it has {', '.join([*every, TEMPERATURE])}")
    for path, narrow in space.items():
        ends = (
            narrow.values
            if isinstance(narrow, Choice)
            else (tuple(range(narrow.of)),)
            if isinstance(narrow, Subset)
            else (narrow.low, narrow.high)
        )
        if not ends or isinstance(narrow, Range) and not 0 <= narrow.low * narrow.log <= narrow.low <= narrow.high:
            raise ValueError(f"the space of {path!r} is empty, or a logarithm of nothing: give a Range(low, high) or "
                             "a Choice of at least one value")
        if path not in known:
            continue
        own = known[path].own
        if isinstance(narrow, Subset) != isinstance(own, Fitting):
            raise ValueError(f"{settings.name}: a Subset searches a tuple, and a tuple is searched by a Subset: "
                             f"{path} is given {narrow}")
        if own is None:
            raise ValueError(f"{settings.name}: {path} declares no range and cannot be searched: leave it out of the "
                             "space")
        if wrong := [v for v in ends if not own.admits(v)]:
            raise ValueError(f"{settings.name}: {path} cannot be {wrong[0]!r}; search within {own}")
    for path, space_here in ((place.path, place.space) for place in found):
        if path.split(".")[-1] in PARTS and isinstance(space_here, Range) and space_here.low > length:
            raise ValueError(f"{settings.name}: the space of {path!r} begins at {space_here.low:g}, "
                             f"and the text has {length} places: search within 1..{length}")
    return found


def _pick(ask: Ask, place: Place) -> tuple[Any, Any]:
    """(label, value)"""
    space = place.space
    if isinstance(space, Subset):
        return None, tuple(k for k in range(space.of) if ask.suggest_categorical(f"{place.path}.{k}", [False, True]))
    if isinstance(space, Range):
        whole = isinstance(place.value, int)
        low, high = (int(space.low), int(space.high)) if whole else (float(space.low), float(space.high))
        suggest: Any = ask.suggest_int if whole else ask.suggest_float
        return None, low if low == high else suggest(place.path, low, high, log=space.log)
    named = _named(space)
    label = next(iter(named)) if len(named) == 1 else ask.suggest_categorical(place.path, list(named))
    return label, named[label]


def suggest(ask: Ask, settings: Any, space: Mapping[str, Space], length: int, path: str = "") -> Any:
    """The settings with every searched field replaced by what `ask` answers."""
    changes = {}
    for name, place in _here(settings, space, length, path):
        label, value = _pick(ask, place)
        changes[name] = suggest(ask, value, space, length, f"{place.path}.{label}.") if _inside(label, value) else value
    return replace(settings, **changes)


def suggest_temperature(ask: Ask, temperature: float, space: Mapping[str, Space]) -> float:
    given = space.get(TEMPERATURE)
    return float(_pick(ask, Place(TEMPERATURE, given, None, temperature))[1]) if given else temperature
