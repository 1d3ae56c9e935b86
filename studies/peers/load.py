"""A file of a peer as a module, without installing what the peer needs.

Packages that its sampling loop does not touch (a training framework, a tokenizer, its own network) are replaced by
stand-ins while the file is loaded; an adapter names them. What else the file imports comes from the peer's folder or
from this environment. Afterwards no module of the peer is left in sys.modules, so two peers may both have a `utils`.
Loading runs the file: see studies/peers/__init__.py.
"""

import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any


class Standin(type):
    """A class that has every attribute, each such a class: base class, decorator or annotation, and nothing behind it.
    Called with a function, it gives that function back.
    """

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return standin(name)

    def __call__(cls, *given: Any, **named: Any) -> Any:
        if cls.__module__ != __name__:    # a class of the peer that has such a base
            return super().__call__(*given, **named)
        return given[0] if len(given) == 1 and callable(given[0]) else standin(cls.__name__)


def standin(name: str) -> Standin:
    return Standin(name, (), {"__module__": __name__})


class _Module(ModuleType):
    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return standin(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stand-ins for these names and all below them."""

    def __init__(self, names: Sequence[str]):
        self.names = names

    def find_spec(self, fullname, path=None, target=None):
        if any(fullname == name or fullname.startswith(f"{name}.") for name in self.names):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        pass


@contextmanager
def _apart(folder: Path, finder: _Finder, packages: Sequence[str]) -> Iterator[list[Path]]:
    """Modules of the folder and stand-ins come first, and are gone afterwards. Gives the files that were loaded, once
    it is over.
    """
    before, used = dict(sys.modules), []
    # ours of the same name, or what they stand for, must not be taken for theirs
    own = {path.stem for path in folder.glob("*.py")} | {*finder.names, *packages}
    for name in list(sys.modules):
        if name.partition(".")[0] in own or name in own:
            del sys.modules[name]
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, str(folder))
    for name in packages:    # folders whose __init__ loads what is not needed
        package = ModuleType(name)
        package.__path__ = [str(folder / name)]
        sys.modules[name] = package
    importlib.invalidate_caches()
    try:
        yield used
    finally:
        sys.meta_path.remove(finder)
        sys.path.remove(str(folder))
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            theirs = bool(file) and Path(file).is_relative_to(folder)
            if theirs:
                used.append(Path(file))
            if theirs or isinstance(module, _Module) or name in packages:
                del sys.modules[name]
        sys.modules.update({name: module for name, module in before.items() if name not in sys.modules})


def modules(folder: Path, names: Sequence[str], standins: Sequence[str] = (),
            packages: Sequence[str] = ()) -> tuple[list[ModuleType], str]:
    """Modules of a peer's folder by their names, and a hash of the files that were loaded. Raises ValueError, in a
    sentence, if the folder is not there, lacks one of them, or cannot be loaded.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}: give the folder of the peer's code, as in --peer NAME=PATH")
    for name in names:
        if not (folder / f"{name.replace('.', '/')}.py").is_file():
            raise ValueError(f"{folder} has no {name.replace('.', '/')}.py, which holds the peer's loop: give the "
                             "folder in which that file lies")
    with _apart(folder, _Finder(standins), packages) as used:
        try:
            found = [importlib.import_module(name) for name in names]
        except Exception as error:
            raise ValueError(f"{folder} cannot be loaded ({type(error).__name__}: {str(error)[:200]}): install what "
                             "it needs, or give the version for which the adapter was written") from error
    digest = hashlib.sha256()
    for path in sorted(used):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found, digest.hexdigest()[:12]


def member(module: ModuleType, dotted: str) -> Any:
    """`function` or `Class.method` of a module, as it was written there. Raises ValueError if there is none."""
    found: Any = module
    for part in dotted.split("."):
        if part not in vars(found):
            raise ValueError(f"{module.__name__}.py of the peer has no {dotted}: give the version for which the "
                             "adapter was written")
        found = vars(found)[part]
    return found
