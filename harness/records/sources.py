"""Where the source of a module lies, and whose it is; what git says of ours. Nothing is imported to find out.

First-party is every module whose file lies neither in the standard library nor among installed packages: what stands
beside a study or elsewhere on the Python path, and packages that are installed in editable form, which lie where they
are edited.
"""

import importlib.util
import subprocess
import sys
import sysconfig
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from harness.spec import ROOT

INSTALLED = {"site-packages", "dist-packages"}
STANDARD = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}


@cache
def installed(path: Path) -> bool:
    """Whether a file is of the standard library or of an installed package, by the path that it was imported from.

    A system may keep files of its standard library elsewhere and link to them, as Debian does with sitecustomize. A
    process is asked about thousands of files after every cell, and a file does not move meanwhile. A path that no
    system takes is none of the user's files.
    """
    try:
        file = path.resolve()
    except (OSError, RuntimeError, ValueError):
        return True
    return (not INSTALLED.isdisjoint(file.parts)
            or any(not STANDARD.isdisjoint(place.parents) for place in (path, file)))


def git(*words: str) -> str | None:
    """What git says of the repository that our sources are the root of. None where there is none: an installed package
    may lie within a repository of its user, of which nothing is to be said.
    """
    return _git(*words) if _top() == ROOT else None


@cache
def _top() -> Path | None:
    top = _git("rev-parse", "--show-toplevel")
    return Path(top.rstrip("\n")).resolve() if top else None


def _git(*words: str) -> str | None:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return None


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
    return {path.resolve() for path in (Path(file) for file in {*files} if isinstance(file, str)) if not installed(path)
            and path.is_file()}
