"""Which code made a result: the sources as they stand, named by one hash. Nothing is imported or parsed to find out.

    tree       sha256 of the sources of harness, baselines and ssmd, in the order of their paths: 16 hexadecimal digits
    commit     of the repository whose root they are, None where there is none
    dirty      whether they differ from that commit
    torch, numpy    the versions that computed
    modules    of a cell with settings of the user's own classes: every first-party module beyond those rooms -> hash of
               its file

Equal trees surely give equal samples on one machine. Other trees say nothing: then rows are sampled again
(harness/run/prove.py). A file counts as it was when this process first saw it, for that is the code that runs, whatever
is written to it later.
"""

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from harness.records import sources
from harness.spec import ROOMS, ROOT

DIGITS = 16
_seen: dict[Path, str] = {}


class Made(Struct, omit_defaults=True):
    """The code that made a record, as the record keeps it."""

    tree: str
    torch: str
    numpy: str
    commit: str | None = None
    dirty: bool = False
    modules: dict[str, str] = {}


@cache
def tree(root: Path = ROOT) -> str:
    """The hash of the sources under a root, those of this process by default."""
    found = hashlib.sha256()
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        found.update(f"{path.relative_to(root).as_posix()} {_digest(path)}\n".encode())
    return found.hexdigest()[:DIGITS]


@cache
def versions() -> dict[str, str]:
    return {name: version(name) for name in ("torch", "numpy")}


@cache
def _git(*words: str) -> str | None:
    said = sources.git(*words)
    return None if said is None else said.strip()


def commit() -> str | None:
    return _git("rev-parse", "HEAD")


def dirty() -> bool:
    """Whether the sources differ from those of the commit; False where there is no repository."""
    return bool(_git("status", "--porcelain", "--", *(f"{room}/*.py" for room in ROOMS)))


def made(own: bool = False) -> dict:
    """What a record that this process makes now keeps. own: its cell has settings of the user's own classes."""
    about = {"tree": tree(), **versions(), "commit": commit()}
    return about | ({"dirty": True} if dirty() else {}) | ({"modules": modules()} if own else {})


def modules() -> dict[str, str]:
    """Module -> hash of its file, of every first-party module beyond our own rooms that this process has imported."""
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        path = _first_party(file) if isinstance(file, str) else None
        if path and name.partition(".")[0] not in (*ROOMS, "ssmd_bench", "__main__", "__mp_main__") and path.is_file():
            found[name] = _digest(path)
    return dict(sorted(found.items()))


@cache
def _first_party(file: str) -> Path | None:
    """The file of a module, unless it is installed: of the thousands that are imported nearly all are, and a record
    is not to ask for each of them anew.
    """
    path = Path(file)
    return None if sources.installed(path) else path.resolve()


def with_later(before: dict) -> dict:
    """What was made, with the modules that were imported since by calls within the sampler."""
    return before | {"modules": modules() | before["modules"]} if "modules" in before else before


def surely(about: Mapping | None) -> bool:
    """Whether a record or a proof is of the code that this process runs."""
    if not about or about["tree"] != tree() or any(about[name] != now for name, now in versions().items()):
        return False
    return all((path := sources.found(name)) is not None and path.is_file() and _digest(path) == digest for name,
               digest in about.get("modules", {}).items())


def alike(a: Mapping | None, b: Mapping | None) -> bool:
    """Whether two records are of the same sources and libraries; records that do not say are taken to be."""
    return a is None or b is None or all(a.get(name) == b.get(name) for name in ("tree", "torch", "numpy", "modules"))


def forget(path: Path) -> None:
    """The file is about to be executed anew."""
    _seen.pop(path.resolve(), None)


def _digest(path: Path) -> str:
    if path not in _seen:
        _seen[path] = hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]
    return _seen[path]
