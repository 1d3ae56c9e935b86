"""Files that say what was found: claims, and searched time grids."""

import json
from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import STUDY, Base
from tests.fuzz.case import Case

USE = '''
from dataclasses import replace
from pathlib import Path
from harness.search.time_grid import read
POINTS = [Ancestral(steps, knots) for (_, steps), knots in read(Path("grids.json")).items()]
STUDY = replace(STUDY, arms=[Arm("grid", POINTS, {"main": "heavy"})])
'''


def claims(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "results", "README.md")
    path = folder / "results" / "toy" / "claims.json"
    _spoilt(rng, path)
    words = rng.choice((("claims",), ("claims", "toy"), ("claims", "toy.one", "--write", "README.md"),
        ("claims", "--refresh", "README.md"), ("claims", "--fill", "README.md", "--write", "new.md")))
    return Case(words, changes=("README.md", "new.md"))


def grids(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "grids.json")
    _spoilt(rng, folder / "grids.json")
    (folder / "toy.py").write_text(STUDY + USE)
    return Case(("run", "toy.py", "--out", "run", "--no-time"))


def _spoilt(rng: Random, path: Path) -> None:
    content, how = path.read_bytes(), rng.randrange(5)
    if how < 3:
        path.write_bytes(values.changed(rng, json.loads(content)).encode())
    else:
        path.write_bytes(values.broken(rng, content) if how == 3 else rng.choice((*values.TEXTS,
            *(value.encode() for value in values.JSON))))
