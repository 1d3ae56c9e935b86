"""Zips of kept runs that are cut, hold other bytes, files, names or sizes, or whose index says something else."""

import io
import json
import warnings
import zipfile
from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import Base
from tests.fuzz.case import Case

WAYS = (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)
NAMES = ("../x", "/x", "costs/", "index.json", "records.jsonl", "a/b/c.npy", "", "x" * 300, "é", "sweep.journal", "C:x",
         "costs/0.npy")


def one(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "kept.zip", "run", "toy.py", "counts.jsonl", "CHANGELOG.md")
    path, how = folder / "kept.zip", rng.randrange(5)
    if how == 0:
        path.write_bytes(values.broken(rng, path.read_bytes()))
    elif how == 1:
        path.write_bytes(rng.choice(values.TEXTS))
    else:
        path.write_bytes(_other(rng, path.read_bytes(), how))
    if rng.random() < 0.2:
        (folder / "kept.proofs.jsonl").write_bytes(rng.choice(values.TEXTS))
    words = rng.choice((("compare", "kept.zip", "run"), ("compare", "counts.jsonl", "kept.zip"),
                        ("unpack", "kept.zip", "--out", "out"), ("summarise", "kept.zip", "--out", "again.zip"),
                        ("export", "kept.zip", "t.csv"), ("export", "kept.zip", "t.csv", "--rows"),
                        ("rescore", "kept.zip"), ("run", "toy.py", "--out", "kept.zip"),
                        ("expect", "kept.zip", "--write", "new.jsonl", "--changelog", "CHANGELOG.md")))
    return Case(words, changes=("CHANGELOG.md", "new.jsonl"))


def _other(rng: Random, content: bytes, how: int) -> bytes:
    """Another zip, whole as a zip: a file broken, one too many or too few, or another index."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = [(name, archive.read(name)) for name in archive.namelist()]
    place = rng.randrange(len(files))
    name, data = files[place]
    if how == 2:
        files[place] = name, values.broken(rng, data)
    elif how == 3:
        files[place:place + rng.randrange(2)] = [(rng.choice(NAMES), data)]
    else:
        index = dict(files)["index.json"]
        changed = values.changed(rng, json.loads(index)).encode() if rng.random() < 0.8 else values.broken(rng, index)
        files = [(name, changed if name == "index.json" else data) for name, data in files]
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file, "w", rng.choice(WAYS)) as archive:
        for name, data in files:
            archive.writestr(name or "x", data)
    return file.getvalue()
