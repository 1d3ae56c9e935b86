"""Plug-in <-> canonical JSON, keys, and the hash of the code a cell can reach.

The settings are the object: {"name", "version", fields...}, nested dataclasses alike, keys sorted, no white space. A key is the sha256 of that
text. `code_hash` covers the syntax trees, without docstrings, of the modules that a cell can reach.

    >>> from harness.window import Fixed
    >>> canonical(to_json(Fixed(3)))
    '{"name":"fixed","tokens":3}'
"""

import ast
import hashlib
import importlib
import json
import types
import typing
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from harness import sources
from harness.param import Choice, implied, space_of

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("harness", "baselines", "ssmd")
_files: dict[str, Path] = {}    # sources of modules that no import finds: study files
_reached: dict[tuple[str, ...], set[Path]] = {}


class UnknownField(ValueError):
    """Settings that do not have the field; others of the same study may."""


def to_json(thing: Any) -> Any:
    """A frozen dataclass as plain JSON data. Raises ValueError for what is neither one nor plain."""
    if is_dataclass(thing):
        about = {key: getattr(thing, key) for key in ("name", "version") if isinstance(getattr(thing, key, None), (str, int))}
        return about | {f.name: to_json(getattr(thing, f.name)) for f in fields(thing) if not implied(thing, f)}
    if isinstance(thing, (list, tuple)):
        return [to_json(item) for item in thing]
    if thing is not None and not isinstance(thing, (str, int, float)):
        raise ValueError(f"{type(thing).__name__} cannot be kept as JSON: make it a frozen dataclass of numbers, texts and others of its kind")
    return thing


def brief(data: Any) -> str:
    """Settings in a form for people: ssmd(cosine(delta=0.02), rounds=2)."""
    if isinstance(data, dict):
        inner = ", ".join(brief(v) if isinstance(v, dict) else f"{k}={v}" for k, v in data.items() if k not in ("name", "version"))
        return f"{data['name']}({inner})" if inner else data["name"]
    return str(data)


def canonical(data: Any) -> str:
    try:
        return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{str(data)[:100]} cannot be kept as JSON ({error}): settings are texts, finite numbers, and lists and dataclasses of them") from None


def sha256(data: Any) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def _types(annotation: Any) -> list[type]:
    union = isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union
    return list(typing.get_args(annotation)) if union else [annotation]


def from_json(kind: type | str, data: dict) -> Any:
    """The inverse of to_json, for a class or for a verb ("step", "rows", "score"), whose plug-in is then found by name.

    Nested plug-ins are chosen by name among the field's annotated types. Raises ValueError for an unknown name or field.
    """
    cls = _named(kind, data.get("name")) if isinstance(kind, str) else kind
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
    try:
        return cls(**values)
    except (AttributeError, ArithmeticError) as error:    # a check of the class met a value of another type
        raise ValueError(f"{cls.__name__} cannot have these settings ({error}): correct them") from None
    except TypeError:
        raise ValueError(f"{cls.__name__} needs a value for each of {', '.join(f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)}") from None


def _named(verb: str, name: str | None) -> type:
    from harness import plugins  # which reads the files of the plug-ins, and they read this one

    known = plugins.find(verb)
    if name not in known:
        raise ValueError(f"there is no plug-in {name!r}; choose {', '.join(sorted(known))}, or name its package with --plugins")
    return known[name]


def _parse(text: str, current: Any, hint: Any, label: str) -> Any:
    plugins = [t for t in _types(hint) if is_dataclass(t)]
    if plugins:
        chosen = [t for t in plugins if t.name == text]    # type: ignore[attr-defined]
        if not chosen:
            raise ValueError(f"{label} cannot be {text!r}; choose {' | '.join(t.name for t in plugins)}")    # type: ignore[attr-defined]
        return chosen[0]()
    if isinstance(current, str):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    value = tuple(value) if isinstance(value, list) else float(value) if isinstance(current, float) and type(value) is int else value
    if type(value) is not type(current):
        raise ValueError(f"{label}={text!r} is not of type {type(current).__name__}, as {current!r} is")
    return value


def _choices(f: Field) -> str:
    """The range or the names that --set takes."""
    space = space_of(f)
    return " | ".join(getattr(value, "name", str(value)) for value in space.values) if isinstance(space, Choice) else str(space or "")


def set_field(settings: Any, path: str, text: str) -> Any:
    """A copy with one field, `a.b` for a nested one, set from text. Raises ValueError that lists the fields or the range."""
    name, _, rest = path.partition(".")
    by_name = {f.name: f for f in fields(settings)} if is_dataclass(settings) else {}
    if name not in by_name:
        listing = ", ".join(f"{f.name} ({_choices(f) or type(getattr(settings, f.name)).__name__})" for f in by_name.values())
        raise UnknownField(f"{type(settings).__name__} has no field {name!r}; it has {listing or 'none'}")
    current = getattr(settings, name)
    value = set_field(current, rest, text) if rest else _parse(text, current, typing.get_type_hints(type(settings))[name], f"{type(settings).__name__}.{name}")
    return replace(settings, **{name: value})


def foreign(*things: Any) -> set[str]:
    """The modules of the user's classes among some settings and within them: a window or an order of one's own may stand in a sampler of ours."""
    found, waiting = {type(thing).__module__ for thing in things}, [*things]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, (list, tuple)):
            waiting += thing
        elif is_dataclass(thing):
            found.add(type(thing).__module__)
            waiting += [getattr(thing, f.name, None) for f in fields(thing)]
    return {module for module in found if module.split(".")[0] not in ROOMS}


def _bare(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
            node.body = body[1:]    # type: ignore[attr-defined]
    return tree


def note_file(module: str, path: Path) -> None:
    """Say where the source of a study file's module is, so that settings and samplers of its own have a code hash too."""
    _files[module] = path.resolve()
    code_hash.cache_clear()


def _file(module: str, rooms: tuple[str, ...]) -> Path | None:
    """The source of a first-party module; a package of `rooms` is one even where it is installed."""
    if module in _files:
        return _files[module]
    top = module.split(".")[0]
    if top in ROOMS:
        path = ROOT / module.replace(".", "/")
        return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)
    source = sources.found(module)
    return source if source and (top in rooms or not sources.installed(source)) else None


def _imports(tree: ast.AST, package: list[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
    return found


def _shape(node: Any) -> str:
    """A syntax tree as text that is the same for every version of Python that reads it: what is empty is left out."""
    if isinstance(node, list):
        return f"[{','.join(map(_shape, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = (f"{name}={_shape(value)}" for name, value in ast.iter_fields(node) if value is not None and value != [] and name != "ctx")
    return f"{type(node).__name__}({','.join(parts)})"


def _tree(content: bytes) -> ast.AST | None:
    """None for what this Python cannot read."""
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _above(module: str) -> list[str]:
    """The packages whose code runs before that of the module."""
    parts = module.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


@cache
def code_hash(modules: tuple[str, ...]) -> str:
    """sha256 over the syntax trees of these modules and of all first-party modules they import, directly or not.

    First-party are our own rooms, which import nothing but each other and libraries, the packages that `modules` belong to, and every other module on the path that
    is not installed (harness/sources.py). Comments and docstrings do not count, nor does a module that a cell cannot reach: a new sampler makes no old record stale.
    """
    importlib.invalidate_caches()    # a file may have come since
    rooms, waiting = (*ROOMS, *(m.split(".")[0] for m in modules)), [*modules]
    shapes: dict[str, str] = {}
    _reached[modules] = set()
    while waiting:
        module = waiting.pop()
        path = None if module in shapes else _file(module, rooms)
        if path is None:
            continue
        _reached[modules].add(path)
        content, inside = path.read_bytes(), module.split(".")
        tree = _tree(content) if path.suffix == ".py" else None
        if tree is None:    # compiled, or of another Python
            shapes[module] = hashlib.sha256(content).hexdigest()
            continue
        imported = _imports(tree, inside if path.name == "__init__.py" else inside[:-1])
        if inside[0] in ROOMS:
            waiting += [name for name in imported if name.split(".")[0] in rooms]
        else:
            waiting += [*imported, *_above(module), *(above for name in imported for above in _above(name))]
        shapes[module] = _shape(_bare(tree))
    return hashlib.sha256("\n".join(f"{name} {shape}" for name, shape in sorted(shapes.items())).encode()).hexdigest()[:16]


def reached(modules: tuple[str, ...]) -> set[Path]:
    """The sources that the code hash of these modules covers."""
    code_hash(modules)
    return _reached[modules]
