"""Markdown that a command writes into: without marks, with marks in another order, not text, not writable."""

from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import CHANGELOG, PAGE, Base
from tests.fuzz.case import Case

PIECES = ("<!-- claims -->", "<!-- /claims -->", "<!-- verify -->", "<!-- /verify -->", "| `toy.one` | 1 |",
    "| `gone` | 1 |", "| `toy.two` |", "{toy.one}", "{gone}", "{", "}", "{}", "{{toy.one}}", "{toy.one", "\n", "text",
    "\0", "é",
    "## Unreleased", "## 1.0", "\r\n", "<!-- claims --><!-- claims -->", "{toy.one:x}", "{toy.}", "{0}")


def one(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "results", "run")
    path, how = folder / "README.md", rng.randrange(4)
    if how == 0:
        path.write_bytes(values.broken(rng, PAGE.encode()))
    elif how == 1:
        path.write_bytes(rng.choice(values.TEXTS))
    else:
        path.write_text("\n".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 12))))
    (folder / "CHANGELOG.md").write_bytes(rng.choice((b"", values.broken(rng, CHANGELOG.encode()),
        path.read_bytes())))
    words = rng.choice((("claims", "--write", "README.md"), ("claims", "toy.one", "--write", "README.md"),
        ("claims", "--refresh", "README.md"), ("claims", "--fill", "README.md", "--write", "new.md"),
                        ("claims", "--refresh", "README.md", "gone.md"),
                        ("claims", "--fill", "README.md", "--write", "README.md"), ("claims", "--fill", "README.md"),
                        ("verify", "--write", "README.md", "any_order"),
                        ("expect", "run", "--write", "new.jsonl", "--changelog", "CHANGELOG.md"),
                            ("claims", "gone", "--write", "README.md")))
    return Case(words, changes=("README.md", "new.md", "new.jsonl", "CHANGELOG.md"))
