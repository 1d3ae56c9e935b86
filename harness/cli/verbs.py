"""The verbs of the command line are found as samplers are: no list to keep.

A verb stands in VERBS of a module of harness.cli, or of the module `commands` of another package: ssmd, reports, and
those of --plugins. Its options stand beside the code that reads them. Those modules load no library before a verb is at
work, so that a run that is finished answers at once.
"""

import importlib
import importlib.util
import json
import pkgutil
import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from types import ModuleType

from harness import cli, plugins
from harness.boundary.arguments import GROUPS, Verb

ROOMS = ("ssmd", "reports")


def _modules() -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(cli.__path__):
        if not info.name.startswith("_"):    # helpers wear an underscore, and load what they need
            yield importlib.import_module(f"harness.cli.{info.name}")
    for room in ROOMS:
        yield importlib.import_module(f"{room}.commands")
    for room in plugins.packages():
        # a package, no single module
        if hasattr(importlib.import_module(room), "__path__") and importlib.util.find_spec(f"{room}.commands"):
            yield plugins.imported(f"{room}.commands")


def _verbs(module: ModuleType) -> Sequence[Verb]:
    """Raises ValueError if VERBS is no tuple of verbs, or one of them cannot be called by its name."""
    given = getattr(module, "VERBS", () if module.__name__.startswith(f"{cli.__name__}.") else None)
    if isinstance(given, Verb) or not isinstance(given, (tuple, list)):
        raise ValueError(f"{module.__name__} has no list of verbs: write VERBS = (Verb(...),) in {module.__file__}")
    for verb in given:
        if not isinstance(verb, Verb):
            raise ValueError(f"VERBS of {module.__name__} holds {verb!r:.60}, which is no verb: write "
                             "Verb(name, group, does, example, options, work)")
        if not isinstance(verb.name, str) or not re.fullmatch("[a-z][a-z0-9-]*", verb.name):
            raise ValueError(f"{module.__name__} has a verb {verb.name!r:.60}, which nobody can type: use small "
                             "letters, digits and -")
        if not all(isinstance(text, str) for text in (verb.group, verb.does, verb.example)) or not (
                callable(verb.options) and callable(verb.work)):
            raise ValueError(f"the verb {verb.name!r} of {module.__name__} is not whole: write Verb(name, group, does, "
                             "example, options, work), four texts and two functions")
    return given


def done(verb: Verb, options: Namespace) -> tuple[str, int]:
    """The JSON document of its work as a line, and the exit code. Raises ValueError if it gave something else."""
    given = verb.work(options)
    try:
        document, code = given
        if isinstance(document, dict) and isinstance(code, int):
            return json.dumps(document), code
    except (TypeError, ValueError):
        pass
    raise ValueError(f"the verb {verb.name!r} gave {given!r:.60}: its work must return a dictionary that JSON can "
                     "hold, and an exit code")


def find() -> dict[str, Verb]:
    """Name -> verb, in the order of the groups. Raises ValueError if two have one name."""
    found: dict[str, Verb] = {}
    for module in _modules():
        for verb in _verbs(module):
            if found.setdefault(verb.name, verb) is not verb:
                raise ValueError(f"{module.__name__} has a verb {verb.name!r}, and there is one already: rename it")
    groups = {name: k for k, name in enumerate(GROUPS)}
    return dict(sorted(found.items(), key=lambda item: groups.get(item[1].group, len(groups))))
