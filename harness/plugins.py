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
from dataclasses import is_dataclass
from functools import lru_cache
from types import ModuleType

from harness.boundary.blame import of_file

ROOMS = ("harness.schedules", "harness.data", "harness.metrics", "harness.metrics.proteins", "harness.nets",
         "baselines", "ssmd")
_extra: list[str] = []


def add_package(package: str) -> None:
    """Scan one more package, named by --plugins. Raises ValueError if it cannot be imported."""
    if not all(part.isidentifier() for part in package.split(".")) or package.endswith(".py"):
        raise ValueError(f"--plugins {package!r} is no name of a package, as `planner` is: leave out its path and the "
                         "ending .py, and put the folder that it lies in on PYTHONPATH")
    _imported(package)
    if package not in _extra:
        _extra.append(package)
        find.cache_clear()


def packages() -> list[str]:
    """Those named by --plugins, for processes that start afresh."""
    return list(_extra)


def _modules(room: str):
    load = importlib.import_module if room in ROOMS else _imported
    package = load(room)
    yield package
    for info in pkgutil.iter_modules(getattr(package, "__path__", ())):
        if not info.name.startswith("_"):
            yield load(f"{room}.{info.name}")


def _imported(module: str) -> ModuleType:
    """A module of the user's. Raises ValueError, in a sentence with its line, for whatever it raises."""
    try:
        return importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        raise ValueError(f"the plug-in package {module!r} cannot be imported ({error}): install it or put it on "
                         "PYTHONPATH") from None
    except BaseException as error:
        raise ValueError(of_file(error, f"the plug-in package {module!r} cannot be imported")) from None


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
                name = getattr(thing, "name", None)
                if not (isinstance(name, str) and hasattr(thing, verb)):
                    continue
                if room in _extra and verb != "config_type" and not is_dataclass(thing):
                    raise ValueError(f"the plug-in {thing.__name__} is no frozen dataclass: put "
                                     f"@dataclass(frozen=True) before its class, {origin(thing)}")
                other = found.setdefault(name, thing)
                if other is not thing:
                    raise ValueError(f"two plug-ins with {verb}() are named {name!r}: {origin(other)} and "
                                     f"{origin(thing)}; rename one")
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
