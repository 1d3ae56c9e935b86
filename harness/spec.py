"""Plug-in <-> canonical JSON, and keys.

The settings are the object: {"name", "version", fields...}, nested dataclasses alike, keys sorted, no white space. A
key is the sha256 of that text.

    >>> from harness.schedules.window import Fixed
    >>> canonical(to_json(Fixed(3)))
    '{"name":"fixed","tokens":3}'
"""

import hashlib
import json
import types
import typing
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from harness.boundary.nearest import meant
from harness.param import Choice, space_of

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("harness", "baselines", "ssmd")
INSTALLED = ROOT.name == "_rooms"    # the folder of a wheel (setup.py); else a clone, or what an sdist holds


class UnknownField(ValueError):
    """Settings that do not have the field; others of the same study may."""


def to_json(thing: Any, where: str = "") -> Any:
    """A frozen dataclass as plain JSON data; a path is its text. Raises ValueError, with the field, for what is neither
    one nor plain.
    """
    if is_dataclass(thing):
        about = {key: getattr(thing, key) for key in ("name", "version")
                 if isinstance(getattr(thing, key, None), (str, int))}
        return about | {f.name: to_json(getattr(thing, f.name), f"{type(thing).__name__}.{f.name}: ")
                        for f in fields(thing)}
    if isinstance(thing, (list, tuple)):
        return [to_json(item, where) for item in thing]
    if isinstance(thing, Path):
        return str(thing)
    if thing is not None and not isinstance(thing, (str, int, float)):
        raise ValueError(f"{where}{type(thing).__name__} cannot be kept as JSON: make it a frozen dataclass of "
                         "numbers, texts and others of its kind")
    return thing


def brief(data: Any) -> str:
    """Settings in a form for people: ssmd(cosine(delta=0.02), rounds=2). A uniform order is the usual one, and is not
    said.
    """
    if isinstance(data, dict):
        told = {k: v for k, v in data.items() if k not in ("name", "version")
                and (k, v) != ("order", {"name": "uniform"})}
        inner = ", ".join(brief(v) if isinstance(v, dict) else f"{k}={v}" for k, v in told.items())
        return f"{data['name']}({inner})" if inner else data["name"]
    return str(data)


def canonical(data: Any) -> str:
    try:
        return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{str(data)[:100]} cannot be kept as JSON ({error}): settings are texts, finite numbers, "
                         "and lists and dataclasses of them") from None


def sha256(data: Any) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()


# protocols whose plug-ins are found by name: what they do
VERBS = {"Dataset": "rows", "Metric": "score", "Sampler": "step"}


def _types(annotation: Any) -> list[type]:
    union = isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union
    return list(typing.get_args(annotation)) if union else [annotation]


def from_json(kind: type | str, data: dict) -> Any:
    """The inverse of to_json, for a class or for a verb ("step", "rows", "score"), whose plug-in is then found by name.

    Nested plug-ins are chosen by name among the field's annotated types, or among all of a protocol. Raises ValueError
    for an unknown name or field.
    """
    cls = _named(kind, data.get("name")) if isinstance(kind, str) else kind
    hints, values = typing.get_type_hints(cls), dict(data)
    for key in ("name", "version"):
        values.pop(key, None)
    known = {f.name for f in fields(cls)}
    if unknown := set(values) - known:
        raise ValueError(f"{cls.__name__} has no field {sorted(unknown)[0]!r}; it has "
                         f"{', '.join(sorted(known)) or 'none'}{meant(sorted(unknown)[0], known)}")
    for key, value in values.items():
        if isinstance(value, dict):
            if verb := next((VERBS[t.__name__] for t in _types(hints[key]) if t.__name__ in VERBS), None):
                values[key] = from_json(verb, value)
                continue
            chosen = [t for t in _types(hints[key]) if getattr(t, "name", None) == value.get("name")]
            if not chosen:
                raise ValueError(f"{cls.__name__}.{key} cannot be {value.get('name')!r}; choose "
                                 f"{' | '.join(getattr(t, 'name', str(t)) for t in _types(hints[key]))}")
            values[key] = from_json(chosen[0], value)
        elif isinstance(value, list):
            values[key] = tuple(value)
    try:
        return cls(**values)
    except (AttributeError, ArithmeticError) as error:    # a check of the class met a value of another type
        raise ValueError(f"{cls.__name__} cannot have these settings ({error}): correct them") from None
    except TypeError:
        raise ValueError(
            f"{cls.__name__} needs a value for each of "
            f"{', '.join(f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)}"
        ) from None


def _named(verb: str, name: str | None) -> type:
    from harness import plugins  # which reads the files of the plug-ins, and they read this one

    known = plugins.find(verb)
    if name not in known:
        choices = meant(str(name), known) or f"; choose {', '.join(sorted(known))}, or name its package with --plugins"
        raise ValueError(f"there is no plug-in {name!r}{choices}")
    return known[name]


def _parse(text: str, current: Any, hint: Any, label: str) -> Any:
    plugins: list[Any] = [t for t in _types(hint) if is_dataclass(t)]
    if plugins:
        chosen = [t for t in plugins if t.name == text]
        if not chosen:
            names = " | ".join(t.name for t in plugins)
            raise ValueError(f"{label} cannot be {text!r}; choose {names}{meant(text, [t.name for t in plugins])}")
        return chosen[0]()
    if isinstance(current, str):
        return text
    try:
        value = json.loads({"True": "true", "False": "false"}.get(text, text))    # as Python has them, too
    except (ValueError, RecursionError):
        value = None
    value = (
        tuple(value)
        if isinstance(value, list)
        else float(value)
        if isinstance(current, float) and type(value) is int
        else value
    )
    kinds = [type(current)] if current is not None else [
        kind for one in _types(hint) if (kind := typing.get_origin(one) or one) is not types.NoneType]
    if type(value) not in kinds:
        kind = " or ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(f"{label}={text!r} is not of type {kind}" + (f", as {current!r} is" if current is not None
                                                                     else ""))
    return value


def _choices(f: Field) -> str:
    """The range or the names that --set takes."""
    space = space_of(f)
    return (
        " | ".join(getattr(value, "name", str(value)) for value in space.values)
        if isinstance(space, Choice)
        else str(space or "")
    )


def set_field(settings: Any, path: str, text: str) -> Any:
    """A copy with one field, `a.b` for a nested one, set from text. Raises ValueError that lists the fields or the
    range.
    """
    name, _, rest = path.partition(".")
    by_name = {f.name: f for f in fields(settings)} if is_dataclass(settings) else {}
    if name not in by_name:
        listing = ", ".join(f"{f.name} ({_choices(f) or type(getattr(settings, f.name)).__name__})"
                            for f in by_name.values())
        raise UnknownField(f"{type(settings).__name__} has no field {name!r}; it has {listing or 'none'}"
                           f"{meant(name, by_name)}")
    current = getattr(settings, name)
    value = (
        set_field(current, rest, text)
        if rest
        else _parse(text, current, typing.get_type_hints(type(settings))[name], f"{type(settings).__name__}.{name}")
    )
    return replace(settings, **{name: value})


def foreign(*things: Any) -> set[str]:
    """The modules of the user's classes among some settings and within them: a window or an order of one's own may
    stand in a sampler of ours.
    """
    found, waiting = {type(thing).__module__ for thing in things}, [*things]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, (list, tuple)):
            waiting += thing
        elif is_dataclass(thing):
            found.add(type(thing).__module__)
            waiting += [getattr(thing, f.name, None) for f in fields(thing)]
    return {module for module in found if module.split(".")[0] not in ROOMS}
