"""Where the source of a module lies, and whose it is. Nothing is imported to find out.

First-party is every module whose file lies neither in the standard library nor among installed packages: what stands
beside a study or elsewhere on the Python path, and packages that are installed in editable form, which lie where they
are edited.
"""

import importlib.util
import sys
import sysconfig
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

INSTALLED = {"site-packages", "dist-packages"}
STANDARD = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}


def installed(path: Path) -> bool:
    """Whether a file is of the standard library or of an installed package."""
    return not INSTALLED.isdisjoint(path.parts) or not STANDARD.isdisjoint(path.parents)


def found(module: str) -> Path | None:
    """The file that an import of the module would read, or None if there is none."""
    top, *inner = module.split(".")
    try:
        about: ModuleSpec | None = importlib.util.find_spec(top)
        for depth in range(len(inner)):
            about = about and PathFinder.find_spec(
                ".".join((top, *inner[: depth + 1])), about.submodule_search_locations or []
            )
    except (ImportError, ValueError, AttributeError):    # a module that was made by hand, without a specification
        about = None
    file = about.origin if about and about.has_location else getattr(sys.modules.get(module), "__file__", None)
    return Path(file).resolve() if file else None


def loaded() -> set[Path]:
    """The files of all first-party modules that this process has imported."""
    files = (getattr(module, "__dict__", {}).get("__file__") for module in list(sys.modules.values()))
    return {path for path in (Path(file).resolve() for file in {*files} if isinstance(file, str)) if path.is_file()
            and not installed(path)}
