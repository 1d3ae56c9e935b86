"""Plug-in <-> canonical JSON, keys, and the hash of the code a cell can reach.

The settings are the object: {"name", "version", fields...}, nested dataclasses alike, keys sorted, no white space. A key is the sha256 of that
text. `code_hash` covers the
syntax trees, without docstrings, of the modules that a cell can reach.

    >>> from harness.window import Fixed
    >>> canonical(to_json(Fixed(3)))
    '{"name":"fixed","tokens":3}'
"""

import ast
import hashlib
import json
import types
import typing
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.param import space_of

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("harness", "baselines", "ssmd")


def to_json(thing: Any) -> Any:
    """A frozen dataclass as plain JSON data."""
    if is_dataclass(thing):
        about = {key: getattr(thing, key) for key in ("name", "version") if isinstance(getattr(thing, key, None), (str, int))}
        return about | {f.name: to_json(getattr(thing, f.name)) for f in fields(thing)}
    if isinstance(thing, (list, tuple)):
        return [to_json(item) for item in thing]
    return thing


def brief(data: Any) -> str:
    """Settings in a form for people: ssmd(cosine(delta=0.02), rounds=2)."""
    if isinstance(data, dict):
        inner = ", ".join(brief(v) if isinstance(v, dict) else f"{k}={v}" for k, v in data.items() if k not in ("name", "version"))
        return f"{data['name']}({inner})" if inner else data["name"]
    return str(data)


def canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(data: Any) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def _types(annotation: Any) -> list[type]:
    union = isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union
    return list(typing.get_args(annotation)) if union else [annotation]


def from_json(cls: type, data: dict) -> Any:
    """The inverse of to_json for a known class; nested plug-ins are chosen by name among the field's annotated types.

    Raises ValueError for a field that the class does not have.
    """
    hints, values = typing.get_type_hints(cls), dict(data)
    for key in ("name", "version"):
        values.pop(key, None)
    known = {f.name for f in fields(cls)}
    if unknown := set(values) - known:
        raise ValueError(f"{cls.__name__} has no field {sorted(unknown)[0]!r}; it has {', '.join(sorted(known)) or 'none'}")
    for key, value in values.items():
        if isinstance(value, dict):
            chosen = [t for t in _types(hints[key]) if getattr(t, "name", None) == value.get("name")]
            if not chosen:
                raise ValueError(f"{cls.__name__}.{key} cannot be {value.get('name')!r}; choose {' | '.join(getattr(t, 'name', str(t)) for t in _types(hints[key]))}")
            values[key] = from_json(chosen[0], value)
        elif isinstance(value, list):
            values[key] = tuple(value)
    return cls(**values)


def _parse(text: str, current: Any, hint: Any, label: str) -> Any:
    plugins = [t for t in _types(hint) if is_dataclass(t)]
    if plugins:
        chosen = [t for t in plugins if t.name == text]
        if not chosen:
            raise ValueError(f"{label} cannot be {text!r}; choose {' | '.join(t.name for t in plugins)}")
        return chosen[0]()
    if isinstance(current, str):
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise ValueError(f"{label}={text!r} is not a {type(current).__name__}") from None
    if isinstance(current, bool) != isinstance(value, bool) or (isinstance(current, int) and not isinstance(value, int)):
        raise ValueError(f"{label}={text!r} is not a {type(current).__name__}")
    return tuple(value) if isinstance(value, list) else float(value) if isinstance(current, float) else value


def set_field(settings: Any, path: str, text: str) -> Any:
    """A copy with one field, `a.b` for a nested one, set from text. Raises ValueError that lists the fields or the range."""
    name, _, rest = path.partition(".")
    by_name = {f.name: f for f in fields(settings)} if is_dataclass(settings) else {}
    if name not in by_name:
        listing = ", ".join(f"{f.name} ({space_of(f) or type(getattr(settings, f.name)).__name__})" for f in by_name.values())
        raise ValueError(f"{type(settings).__name__} has no field {name!r}; it has {listing or 'none'}")
    current = getattr(settings, name)
    value = set_field(current, rest, text) if rest else _parse(text, current, typing.get_type_hints(type(settings))[name], f"{type(settings).__name__}.{name}")
    return replace(settings, **{name: value})


def _bare(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
            node.body = body[1:]
    return tree


def _file(module: str) -> Path | None:
    path = ROOT / (module.replace(".", "/") + ".py")
    return path if module.split(".")[0] in ROOMS and path.is_file() else None


def _imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@lru_cache
def code_hash(modules: tuple[str, ...]) -> str:
    """sha256 over the syntax trees of these modules and of all first-party modules they import, directly or not.

    Comments and docstrings do not count, nor does a module that a cell cannot reach: a new sampler makes no old record stale.
    """
    trees, waiting = {}, [m for m in modules]
    while waiting:
        module = waiting.pop()
        path = _file(module)
        if path is not None and module not in trees:
            trees[module] = ast.parse(path.read_text(encoding="utf-8"))
            waiting += _imports(trees[module])
    return hashlib.sha256("\n".join(f"{name} {ast.dump(_bare(tree))}" for name, tree in sorted(trees.items())).encode()).hexdigest()[:16]
