"""What the gate forgives: tolerances of counts, margins of metrics, the threshold of times. A TOML file, each rule checked and none unknown.

    tolerance = 0.0          # what is left out stands at its default

    [margins]
    judge = 0.02             # nats per token, the unit of the metric

    [arms.ssmd]              # the same rules, for one arm
    tolerance = 0.01

docs/gate.md lists them all.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any

from harness.compare_side import COUNTS

SAMPLES = ("same-environment", "same-machine", "always", "never")
VERDICTS = ("pass", "fail")


@dataclass(frozen=True)
class Rules:
    tolerance: float = 0.0                                            # of every count, a share of its value in BASE
    counts: Mapping[str, float] = field(default_factory=dict)         # the same, by count
    samples: str = "same-environment"                                 # where unlike samples are a regression; elsewhere they are reported
    margin: float = 0.05                                              # of every metric, a share of its value in BASE
    margins: Mapping[str, float] = field(default_factory=dict)        # by label of the metric, in its unit
    inconclusive: str = "pass"                                        # what a metric does that is shown neither equivalent nor worse
    inconclusive_time: str = "fail"                                   # what times do that decide nothing: exit code 4
    missing: str = "pass"                                             # what a cell does that BASE has finished and NEW does not have
    time_ratio: float = 1.03                                          # NEW over BASE; slower than that is a regression
    arms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, arm: str) -> "Rules":
        """The rules of one arm: its own in place of ours, its tables on top of ours."""
        own = self.arms.get(arm, {})
        return replace(self, **{name: getattr(self, name) | value if isinstance(value, dict) else value for name, value in own.items()})

    def tolerance_of(self, count: str) -> float:
        """For a count, or for calls.NETWORK.KIND."""
        return self.counts.get(count.partition(".")[0], self.tolerance)

    def margin_of(self, label: str, value: float) -> float:
        """In the unit of the metric, of which BASE has this value."""
        return self.margins.get(label, self.margin * abs(value))


LEAST = {"tolerance": 0.0, "counts": 0.0, "margin": 0.0, "margins": 0.0, "time_ratio": 1.0}
ABOVE = ("margin", "margins")    # more than the least
WORDS = {"samples": SAMPLES, "inconclusive": VERDICTS, "inconclusive_time": VERDICTS, "missing": VERDICTS}
RULES = tuple(f.name for f in fields(Rules))


def read(path: Path) -> Rules:
    """The rules of a file. Raises ValueError for one that is not TOML, a rule that is unknown, or a value that a rule cannot have."""
    try:
        data = tomllib.loads(path.read_bytes().decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid TOML ({error}): correct it, or leave --rules out") from None
    return checked(data, str(path))


def checked(data: Mapping[str, Any], where: str) -> Rules:
    """The rules in plain data, `where` being what they are called in an error. Raises ValueError as `read` does."""
    _check(data, where, RULES)
    for arm, own in data.get("arms", {}).items():
        place = f"{where}: arms.{arm}"
        if not isinstance(own, dict):
            raise ValueError(f"{place} must be a table of rules, such as [arms.{arm}] with tolerance = 0.01")
        _check(own, place, tuple(name for name in RULES if name != "arms"))
    return Rules(**data)


def _check(data: Mapping[str, Any], where: str, known: tuple[str, ...]) -> None:
    for name, value in data.items():
        if name not in known:
            raise ValueError(f"{where} has an unknown rule {name!r}; the rules are {', '.join(known)}")
        if name in WORDS:
            if value not in WORDS[name]:
                raise ValueError(f"{where}: {name} cannot be {value!r}; choose {' | '.join(WORDS[name])}")
        elif name in ("counts", "margins", "arms"):
            if not isinstance(value, dict):
                raise ValueError(f"{where}: {name} must be a table, [{name}]")
            if name == "counts" and (unknown := set(value) - set(COUNTS)):
                raise ValueError(f"{where}: counts has no {sorted(unknown)[0]!r}; the counts are {', '.join(COUNTS)}")
            if name != "arms":
                for one, number in value.items():
                    _number(name, number, f"{where}: {name}.{one}")
        else:
            _number(name, value, f"{where}: {name}")


def _number(rule: str, value: Any, label: str) -> None:
    least, above = LEAST[rule], rule in ABOVE
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value) or value < least or above and value == least:
        raise ValueError(f"{label} cannot be {value!r}; it is a number {'above' if above else 'from'} {least:g}{'' if above else ' on'}")
