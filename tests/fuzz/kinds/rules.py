"""The gate: rules in TOML, expectations in JSON lines."""

import json
from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import RULES, Base
from tests.fuzz.case import Case

TOML = ("0", "-1", "1e400", "nan", "inf", "-inf", '""', '"x"', "true", "[]", "[1]", "{}", "{x = 1}", "1979-05-27",
    "'''x'''", "0x7fffffffffffffffffff", '"\\ud800"', "[[1]]", "{tolerance = {x = 1}}", '"fail"', '"PASS"', "1e-400",
    "[" * 5000 + "]" * 5000, "9" * 5000)
LINES = ("[x]", "[arms]", "[arms.x]", "[[arms]]", "[margins]", "[arms.ancestral.arms]", "[counts]\ncalls = 1",
    "arms = 1", "margins = 1", "counts = 1", "x = 1", "tolerance = 1\ntolerance = 2", '"" = 1', "a.b.c = 1", "= 1",
    "x", "[arms.'']",
    "[arms.ancestral]\ntime_ratio = 0.5", "inconclusive_time = 'x'", "inconclusive_time = 1",
    "[arms.ancestral.counts]\nx = 1", "[arms.ancestral.margins]\nexact_nll = -1",
    "[arms.ancestral]\nsamples = 3", "time_ratio = 0")


def toml(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "run", "counts.jsonl")
    lines, how = RULES.splitlines(), rng.randrange(5)
    content: str | bytes
    if how < 2:
        place = rng.choice([k for k, line in enumerate(lines) if "=" in line])
        lines[place] = f"{lines[place].split('=')[0]}= {rng.choice(TOML)}"
        content = "\n".join(lines)
    elif how == 2:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(LINES))
        content = "\n".join(lines)
    elif how == 3:
        content = values.broken(rng, RULES.encode())
    else:
        content = rng.choice((*values.TEXTS, *(value.encode("utf-8", "replace") for value in values.JSON)))
    (folder / "rules.toml").write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content,
        str) else content)
    return Case(("compare", rng.choice(("run", "counts.jsonl")), "run", "--rules", "rules.toml",
        *rng.choice(((), ("--json",), ("--junit", "x.xml"), ("--markdown", "x.md")))))


def expectations(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "run", "CHANGELOG.md")
    lines, how = base.read("counts.jsonl").splitlines(), rng.randrange(5)
    place = rng.randrange(len(lines))
    if how < 2:
        lines[place] = values.changed(rng, json.loads(lines[place])).encode()
    elif how == 2:
        lines[place] = values.broken(rng, lines[place])
    elif how == 3:
        lines.insert(place, rng.choice((*values.TEXTS, *(value.encode() for value in values.JSON), lines[place])))
    content = b"\n".join(lines) if how < 4 else rng.choice((*values.TEXTS, values.broken(rng, b"\n".join(lines))))
    (folder / "counts.jsonl").write_bytes(content)
    words = rng.choice((("compare", "counts.jsonl", "run"), ("compare", "run", "counts.jsonl"),
        ("expect", "run", "--write", "counts.jsonl", "--changelog", "CHANGELOG.md"),
        ("compare", "counts.jsonl", "counts.jsonl", "--json")))
    return Case(words, changes=("counts.jsonl", "CHANGELOG.md"))
