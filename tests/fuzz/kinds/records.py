"""Stores whose records are not whole: lines with something missing, wrong, deep, huge, not text; torn files; stamps."""

import json
from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import Base
from tests.fuzz.case import Case

LINES = ("", "null", "[]", "{}", "1", '"x"', '{"type": "counted"}', '{"type": "scored"}', '{"type": "timed"}',
    '{"type": "network"}', '{"type": "study"}', '{"type": "machine"}', '{"type": "shard"}',
    '{"type": "measured"}', '{"type": "new"}', '{"type": []}', '{"schema": 0}',
    '{"schema": 99, "type": "counted"}', '{"schema": -1}', '{"schema": "1"}', '{"schema": 1e999}',
    '{"schema": null}',
    '{"schema": true, "type": "study"}', '{"type": "counted", "key": "k", "status": "done"}',
    '{"type": "counted", "key": [1]}', '{"type": "scored", "key": "k"}', "\ufeff{}", "{}{}", values.DEEP,
    '{"type": "counted", "key": "../../../etc/passwd", "status": "done"}',
    '{"type": "measured", "table": "x", "rows": 3}', '{"type": "timed", "key": {}, "process": NaN}')


def verb(rng: Random, folder: str = "run") -> Case:
    """Any command that reads a run; reports take long and are fewer."""
    found = rng.choice((
        ("run", "toy.py", "--out", folder, "--no-time"), ("run", "toy.py", "--out", folder, "--seed", "1"),
            ("rescore", folder), ("rescore", folder, "--metric", "corpus_entropy"),
        ("compare", folder, folder), ("compare", "counts.jsonl", folder), ("compare", folder, "good"),
            ("prove", folder, "--check"), ("summarise", folder, "--out", "kept"),
        ("expect", folder, "--write", "new.jsonl", "--changelog", "CHANGELOG.md"), ("fasta", folder, "--out", "fa"),
            ("report", folder, "--out", "page")))
    return Case(found, changes=("*.npy", "CHANGELOG.md", "new.jsonl"))


def lines(rng: Random, base: Base, folder: Path) -> Case:
    """A line that is wrong, in a store or at its end."""
    base.put(folder, "run", "toy.py", "counts.jsonl", "CHANGELOG.md")
    case, path = verb(rng), folder / "run" / "records.jsonl"
    if "good" in case.words:
        base.put(folder / "good", "run")
        (folder / "good" / "run").rename(folder / "good2")
        (folder / "good").rmdir()
        (folder / "good2").rename(folder / "good")
    good, how = [json.dumps(r).encode() for r in base.records], rng.randrange(5)
    place = rng.randrange(len(good))
    if how == 0:
        good.insert(rng.randrange(len(good) + 1), rng.choice(LINES).encode())
    elif how == 1:
        good[place] = values.broken(rng, good[place])
    elif how == 2:
        del good[place]
        good += [good[rng.randrange(len(good))]] * rng.randrange(2)
    else:
        good[place] = values.changed(rng, base.records[place]).encode()
    path.write_bytes(b"\n".join(good) + b"\n" * rng.randrange(2))
    _alone(rng, folder)
    return case


def torn(rng: Random, base: Base, folder: Path) -> Case:
    """The whole file cut, filled with zeros, not text, or not a file; a second writer's file beside it."""
    base.put(folder, "run", "toy.py", "counts.jsonl", "CHANGELOG.md")
    case, path = verb(rng), folder / "run" / "records.jsonl"
    case = case if "good" not in case.words else Case(("compare", "run", "run"))
    content, how = path.read_bytes(), rng.randrange(5)
    if how < 2:
        path.write_bytes(values.broken(rng, content))
    elif how == 2:
        path.write_bytes(rng.choice(values.TEXTS))
    elif how == 3:
        (folder / "run" / f"records.{rng.choice(('1of2', 'x', 'a b', 'é'))}.jsonl").write_bytes(values.broken(rng,
            content))
    else:
        path.unlink()
        if rng.random() < 0.5:
            path.mkdir()
        else:
            (folder / "run" / "records.1of2.jsonl").write_bytes(rng.choice(values.TEXTS))
    _alone(rng, folder)
    return case


def finished(rng: Random, base: Base, folder: Path) -> Case:
    """The stamp of a finished run, with something else in it."""
    base.put(folder, "run", "toy.py")
    path = folder / "run" / "finished.json"
    stamp = json.loads(base.read("run/finished.json"))
    how = rng.randrange(4)
    path.write_bytes(rng.choice(values.TEXTS) if how == 0 else values.broken(rng,
        path.read_bytes()) if how == 1 else values.changed(rng,
        stamp).encode() if how == 2 else rng.choice(values.JSON).encode())
    return Case(("run", "toy.py", "--out", "run"), changes=("*.npy",))


def _alone(rng: Random, folder: Path) -> None:
    """Half of the runs are without their stamp, which hides nothing but answers sooner."""
    if rng.random() < 0.5:
        (folder / "run" / "finished.json").unlink()
