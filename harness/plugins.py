"""Plug-ins are found by scanning packages for a verb: no base class, no decorator, no list to keep.

    samplers()    dataclasses with `name` and `step`           baselines, ssmd, --plugins
    controls()    dataclasses with `name` and `control`        harness, --plugins
    datasets()    dataclasses with `name` and `rows`           harness.data, --plugins
    metrics()     dataclasses with `name` and `score`          harness.metrics, --plugins
    schedules(), windows(), orders(), placements()             dalpha, width, times, light
    find("certainty"): how sure a network is of a place        harness, --plugins
    networks()    modules with `name` and `config_type`        harness.nets, ssmd, --plugins

Two plug-ins of one kind may not share a name.
"""

import importlib
import pkgutil
from functools import lru_cache

ROOMS = ("harness", "harness.data", "harness.metrics", "harness.nets", "baselines", "ssmd")
_extra: list[str] = []


def add_package(package: str) -> None:
    """Scan one more package, named by --plugins. Raises ValueError if it cannot be imported."""
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise ValueError(f"the plug-in package {package!r} cannot be imported ({error}): install it or put it on PYTHONPATH") from None
    if package not in _extra:
        _extra.append(package)
        find.cache_clear()


def packages() -> list[str]:
    """Those named by --plugins, for processes that start afresh."""
    return list(_extra)


def _modules(room: str):
    package = importlib.import_module(room)
    yield package
    for info in pkgutil.iter_modules(getattr(package, "__path__", ())):
        if not info.name.startswith("__"):
            yield importlib.import_module(f"{room}.{info.name}")


@lru_cache
def find(verb: str, rooms: tuple[str, ...] = ROOMS) -> dict[str, type]:
    """Classes that carry `name` and `verb`, by name, each where it is defined.

    Raises ValueError if two of them share a name.
    """
    found: dict[str, type] = {}
    for room in rooms + tuple(_extra):
        for module in _modules(room):
            for thing in vars(module).values():
                if not (isinstance(thing, type) and thing.__module__ == module.__name__):
                    continue
                if not (isinstance(getattr(thing, "name", None), str) and hasattr(thing, verb)):
                    continue
                other = found.setdefault(thing.name, thing)    # type: ignore[attr-defined]
                if other is not thing:
                    raise ValueError(f"two plug-ins with {verb}() are named {thing.name!r}: {origin(other)} and {origin(thing)}; rename one")    # type: ignore[attr-defined]
    return found


def origin(cls: type) -> str:
    """file:line of a plug-in, for the listing."""
    import inspect

    return f"{cls.__module__.replace('.', '/')}.py:{inspect.getsourcelines(cls)[1]}"


def samplers() -> dict[str, type]:
    return find("step")


def controls() -> dict[str, type]:
    return find("control")


def datasets() -> dict[str, type]:
    return find("rows")


def metrics() -> dict[str, type]:
    return find("score")


def schedules() -> dict[str, type]:
    return find("dalpha")


def windows() -> dict[str, type]:
    return find("width")


def orders() -> dict[str, type]:
    return find("times")


def placements() -> dict[str, type]:
    return find("light")


def networks() -> dict[str, type]:
    return find("config_type")
