"""The doors of the house, read from the syntax trees, as the claims house.*: `python -m tests.house` writes them.

Inside harness a folder, and each of its few files, imports only what stands below it. FLOORS is that order, the ground
first.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.boundary.ending import guarded, working
from harness.claims import claim as claims
from harness.spec import ROOT

FLOORS = ("fused", "random", "param", "boundary", "kinds", "plugins", "spec", "stats", "nets", "schedules",
          "sampling", "data", "metrics", "records", "study", "run", "search", "checks", "contest", "claims", "cli",
          "__main__")
ROOMS = ("harness", "baselines", "ssmd", "studies", "reports", "tests")
ABOVE = ("baselines", "ssmd", "studies", "reports", "tests")    # harness knows none of them


class Arrow(NamedTuple):
    """One import, of a module by a module; or a path, or the name of a module, in a text."""

    module: str
    imports: str
    line: int


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def arrows(root: Path = ROOT, room: str = "harness") -> Iterator[Arrow]:
    """Every import of ours, those within functions too."""
    for path in sorted((root / room).rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [_module(root, node.module or "", alias.name) for alias in node.names]
            else:
                continue
            yield from (Arrow(module, name, node.lineno) for name in names if name.split(".")[0] in ROOMS)


def _module(root: Path, module: str, name: str) -> str:
    """What `from module import name` reads."""
    place = root / module.replace(".", "/") / name
    return f"{module}.{name}" if place.is_dir() or place.with_suffix(".py").is_file() else module


def floor(module: str) -> int:
    """Of a module of harness. Raises ValueError for a folder or file that has no floor yet."""
    name = module.split(".")[1] if "." in module else "random"
    if name not in FLOORS:
        raise ValueError(f"harness/{name} stands on no floor: give it one in FLOORS")
    return FLOORS.index(name)


def upward(found: list[Arrow]) -> list[Arrow]:
    """Imports of harness that lead out of it, or to the same floor's neighbour or a higher one."""
    def up(arrow: Arrow) -> bool:
        if arrow.imports.split(".")[0] in ABOVE:
            return True
        same = arrow.module.split(".")[:2] == arrow.imports.split(".")[:2]
        return not same and floor(arrow.imports) >= floor(arrow.module)
    return [arrow for arrow in found if up(arrow)]


def circular(found: list[Arrow]) -> set[str]:
    """The modules from which imports lead back to themselves."""
    known: dict[str, set[str]] = {}
    for arrow in found:
        if arrow.module != arrow.imports:
            known.setdefault(arrow.module, set()).add(arrow.imports)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(known.get(start, ()))
        while waiting:
            if (module := waiting.pop()) not in seen:
                seen.add(module)
                waiting += known.get(module, ())
        return seen
    return {module for module in known if module in reached(module)}


def root_files(root: Path = ROOT) -> list[str]:
    """The files that stand in harness itself."""
    return sorted(path.name for path in (root / "harness").glob("*.py"))


def longest_line(root: Path = ROOT) -> tuple[int, str]:
    """Of all our Python files: its characters, and where it is."""
    lines = ((len(line), f"{path.relative_to(root)}:{number}") for room in ROOMS for path in (root / room).rglob("*.py")
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1))
    return max(lines)


def rows(root: Path = ROOT) -> list[dict]:
    """The claims: counts, so that their intervals are the values."""
    found = list(arrows(root))
    longest, where = longest_line(root)
    counts = {"up_arrows": (len(upward(found)), "imports of a floor above, or of another room", len(found)),
              "circles": (len(circular(found)), "modules whose imports lead back to them",
                          len({a.module for a in found})),
              "harness_root_files": (len(root_files(root)), "files in harness itself", len(root_files(root))),
              "longest_line": (longest, f"characters, {where}", 1)}
    return [claims.claim(f"house.{name}", value, value, value, unit, n, "python -m tests.house", ["harness"],
                         "a count, not a sample")
            for name, (value, unit, n) in counts.items()]


def main() -> int:
    working()
    print(claims.write("house", rows()))
    return 0


if __name__ == "__main__":
    sys.exit(guarded("tests.house", main))
