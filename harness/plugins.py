"""Plug-ins are found by scanning packages for a verb: no base class, no decorator, no list to keep.

    samplers()    dataclasses with `name` and `step`           baselines, ssmd, --plugins
    controls()    dataclasses with `name` and `control`        harness, --plugins
    datasets()    dataclasses with `name` and `rows`           harness.data, --plugins
    metrics()     dataclasses with `name` and `score`          harness.metrics, --plugins
    schedules(), windows(), orders(), placements()             dalpha, width, times, light
    find("certainty"): how sure a network is of a place        harness, --plugins
    networks()    modules with `name` and `config_type`        harness.nets, ssmd, --plugins
    plots()       modules with `draw` and `needs`              --plugins (those of the house: reports/plots)

Two plug-ins of one kind may not share a name.
"""

import importlib
import pkgutil
from dataclasses import is_dataclass
from functools import lru_cache
from types import ModuleType

from harness.boundary.blame import of_file

ROOMS = ("harness.schedules", "harness.data", "harness.metrics", "harness.metrics.molecules",
         "harness.metrics.proteins", "harness.nets", "baselines", "ssmd")
NAMED = ("step", "control", "rows", "score")    # a public class of --plugins that has one needs a name
PLOT = {"needs": "a tuple of the columns that it draws", "draw": "a function of (frame, inches)",
        "caption": "a function of the frame", "TITLE": "a text"}
_extra: list[str] = []


def add_package(package: str) -> None:
    """Scan one more package, named by --plugins. Raises ValueError if it cannot be imported."""
    if not all(part.isidentifier() for part in package.split(".")) or package.endswith(".py"):
        raise ValueError(f"--plugins {package!r} is no name of a package, as `planner` is: leave out its path and the "
                         "ending .py, and put the folder that it lies in on PYTHONPATH")
    imported(package)
    if package not in _extra:
        _extra.append(package)
        find.cache_clear()


def packages() -> list[str]:
    """Those named by --plugins, for processes that start afresh."""
    return list(_extra)


def _modules(room: str):
    load = importlib.import_module if room in ROOMS else imported
    package = load(room)
    yield package
    for info in pkgutil.iter_modules(getattr(package, "__path__", ())):
        if not info.name.startswith("_"):
            yield load(f"{room}.{info.name}")


def imported(module: str) -> ModuleType:
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
                    if room in _extra and _nameless(thing, verb, module):
                        raise ValueError(f"the plug-in {thing.__name__} has {verb}() and no name: add `name: "
                                         f"ClassVar[str] = {thing.__name__.lower()!r}`, {origin(thing)}; a class "
                                         "that is no plug-in begins with _")
                    continue
                if room in _extra and verb != "config_type" and not is_dataclass(thing):
                    raise ValueError(f"the plug-in {thing.__name__} is no frozen dataclass: put "
                                     f"@dataclass(frozen=True) before its class, {origin(thing)}")
                other = found.setdefault(name, thing)
                if other is not thing:
                    raise ValueError(f"two plug-ins with {verb}() are named {name!r}: {origin(other)} and "
                                     f"{origin(thing)}; rename one")
    return found


def _nameless(cls: type, verb: str, module: ModuleType) -> bool:
    """Whether a class was meant as a plug-in: one that others of its module inherit from was not."""
    inherited = any(isinstance(other, type) and other is not cls and issubclass(other, cls)
                    for other in vars(module).values())
    return verb in NAMED and callable(vars(cls).get(verb)) and not cls.__name__.startswith("_") and not inherited


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


def plots() -> list[ModuleType]:
    """Those of --plugins. Raises ValueError for one that lacks a part."""
    found: dict[str, ModuleType] = {}
    for module in (module for room in _extra for module in _modules(room)):
        given = vars(module)
        if len({*PLOT} & {*given}) < 2:
            continue    # a sampler's module may have a `draw` of its own
        right = {"needs": isinstance(given.get("needs"), tuple), "TITLE": isinstance(given.get("TITLE"), str),
                 "draw": callable(given.get("draw")), "caption": callable(given.get("caption"))}
        if wrong := next((part for part, good in right.items() if not good), ""):
            raise ValueError(f"the plot {module.__file__} has no {wrong!r}, {PLOT[wrong]}: give it one, as "
                             "docs/extending.md shows")
        if found.setdefault(name := module.__name__.rpartition(".")[2], module) is not module:
            raise ValueError(f"two plots are named {name!r}: {found[name].__file__} and {module.__file__}; rename one")
    return list(found.values())
