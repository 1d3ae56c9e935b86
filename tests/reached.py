"""Which slow tests a change asks for, besides those whose turn it is (tests/turns.py): those whose file, or a module of
studies or of tests that it imports, itself or through others of them, differs from what it was RECENT commits ago. The
core is left out, or every change of it would ask for every test.
"""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECENT = 12
FOLDERS = ("studies/", "tests/")


def imported(source: str) -> Iterator[str]:
    """The dotted names that a module may mean: `from a import b` is a.b, and a."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@cache
def uses(file: str, root: Path = ROOT) -> frozenset[str]:
    """The files of the repository that a module imports, as paths in it."""
    names = {name.replace(".", "/") for name in imported((root / file).read_text(encoding="utf-8"))}
    return frozenset(path for name in names for path in (f"{name}.py", f"{name}/__init__.py")
                     if (root / path).is_file())


def reached(file: str, root: Path = ROOT) -> set[str]:
    """The file itself, and the modules of FOLDERS that it imports, itself or through others of them."""
    found, waiting = {file}, [file]
    while waiting:
        new = {path for path in uses(waiting.pop(), root) - found if path.startswith(FOLDERS)}
        found |= new
        waiting += new
    return found


def changed(root: Path = ROOT, recent: int = RECENT) -> set[str]:
    """Files that differ from those of `recent` commits ago, committed or not; none where git cannot say."""
    try:
        told = subprocess.run(["git", "-C", str(root), "diff", "--name-only", f"HEAD~{recent}"], capture_output=True,
                              text=True)
    except OSError:
        return set()
    return {*told.stdout.splitlines()} if not told.returncode else set()


def asked_for(files: set[str], root: Path = ROOT, recent: int = RECENT) -> set[str]:
    """Of these test files, those that recent changes reach."""
    new = changed(root, recent)
    return {file for file in files if new and not new.isdisjoint(reached(file, root))}
