"""The verbs of the command line are found as samplers are: no list to keep.

A verb stands in VERBS of a module of harness.cli, or of the module `commands` of another package: ssmd, reports, and
those of --plugins. Its options stand beside the code that reads them. Those modules load no library before a verb is at
work, so that a run that is finished answers at once.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from harness import cli, plugins
from harness.boundary.arguments import GROUPS, Verb

ROOMS = ("ssmd", "reports")


def _modules() -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(cli.__path__):
        if not info.name.startswith("_"):    # helpers wear an underscore, and load what they need
            yield importlib.import_module(f"harness.cli.{info.name}")
    for room in (*ROOMS, *plugins.packages()):
        # a package, no single module
        if hasattr(importlib.import_module(room), "__path__") and importlib.util.find_spec(f"{room}.commands"):
            yield importlib.import_module(f"{room}.commands")


def find() -> dict[str, Verb]:
    """Name -> verb, in the order of the groups. Raises ValueError if two have one name."""
    found: dict[str, Verb] = {}
    for module in _modules():
        for verb in getattr(module, "VERBS", ()):
            if found.setdefault(verb.name, verb) is not verb:
                raise ValueError(f"{module.__name__} has a verb {verb.name!r}, and there is one already: rename it")
    groups = {name: k for k, name in enumerate(GROUPS)}
    return dict(sorted(found.items(), key=lambda item: groups.get(item[1].group, len(groups))))
