"""The file of the probes: what it holds, how the present code differs from it, and when it may be rewritten.

One line a probe, so that the diff of a change says which samplers give other tokens and which other counts.
Records are found by the version of their sampler, so its samples are the same for ever: others need another `version`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.boundary.atomic import write_text
from harness.boundary.incoming import read
from harness.spec import to_json
from tests.golden.cells import Probe
from tests.golden.draw import Seen
from tests.golden.toys import TOYS

FILE = Path(__file__).with_name("probes.json")
REMEDY = "take it from git, or write it anew with `python -m tests.golden --write`"


class Kept(msgspec.Struct, forbid_unknown_fields=True):
    settings: dict[str, Any]    # of the sampler, its version and those of samplers within it included
    seed: int
    tokens: str
    counts: str


class Probes(msgspec.Struct, forbid_unknown_fields=True):
    toys: int
    probes: dict[str, Kept]


class Change(NamedTuple):
    """How a probe differs from the file: "tokens", "counts", "settings", "seed", or "new" and "gone"."""

    probe: str
    sampler: str
    what: tuple[str, ...]
    same_version: bool    # for tokens: of the same toys, too

    def __str__(self) -> str:
        if self.what == ("gone",):
            return f"{self.probe}: the file has it and tests/golden/cells.py does not"
        return f"{self.probe}: {' and '.join(self.what)} {'' if self.what == ('new',) else 'differ'}".rstrip()

    @property
    def sentence(self) -> str:
        """What to do about it."""
        if not {"tokens", "counts"} & set(self.what):
            return f"{self}: run `python -m tests.golden --write`"
        version = f"raise `version` of {self.sampler} and " if "tokens" in self.what and self.same_version else ""
        meant = f"if it is meant, {version}run `python -m tests.golden --write`"
        return f"{self} from tests/golden/probes.json: if it is a bug, mend it; {meant}"


def kept(probe: Probe, seen: Seen) -> Kept:
    return Kept(to_json(probe.sampler), probe.seed, seen.tokens, seen.counts)


def load(path: Path = FILE) -> Probes:
    """Raises ValueError, in a sentence, for a file that is none."""
    return read(path, Probes, REMEDY)


def save(probes: Mapping[str, Kept], path: Path = FILE) -> None:
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(msgspec.to_builtins(one))}" for name, one in probes.items())
    write_text(path, f'{{"toys": {TOYS}, "probes": {{\n{lines}\n}}}}\n')


def changes(old: Probes, new: Mapping[str, Kept]) -> list[Change]:
    """All differences between the file and what the present code gives."""
    found = [compared(name, old.probes.get(name), now, old.toys == TOYS) for name, now in new.items()]
    gone = [Change(name, was.settings["name"], ("gone",), False) for name, was in old.probes.items() if name not in new]
    return [change for change in found if change] + gone


def compared(name: str, was: Kept | None, now: Kept, same_toys: bool = True) -> Change | None:
    sampler = now.settings["name"]
    if was is None:
        return Change(name, sampler, ("new",), False)
    known = ("tokens", "counts", "settings", "seed")
    what = tuple(field for field in known if getattr(was, field) != getattr(now, field))
    same = same_toys and was.seed == now.seed and versions(was.settings) == versions(now.settings)
    return Change(name, sampler, what, same) if what else None


def versions(settings: Any) -> list[tuple[str, int]]:
    """Name and version of a sampler and of those within it."""
    if not isinstance(settings, dict):
        return []
    own = [(settings["name"], settings["version"])] if "version" in settings else []
    return own + [pair for value in settings.values() for pair in versions(value)]


def refused(found: list[Change]) -> str:
    """Why the file may not be rewritten, or nothing: tokens that differ under one version."""
    samplers = sorted({change.sampler for change in found if "tokens" in change.what and change.same_version})
    if not samplers:
        return ""
    return (f"the samples of {', '.join(samplers)} changed and `version` did not: raise it where the change is meant, "
            "or give --machine if nothing but this machine's floats differ")


def summary(found: list[Change]) -> list[str]:
    """A line a sampler: what changed in how many of its probes."""
    lines = []
    for sampler in sorted({change.sampler for change in found}):
        parts = [part for change in found if change.sampler == sampler for part in change.what]
        lines.append(f"{sampler}: " + ", ".join(f"{part} {parts.count(part)}" for part in dict.fromkeys(parts)))
    return lines
