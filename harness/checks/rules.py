"""What the gate forgives: tolerances of counts, margins of metrics, the threshold of times. A TOML file, each rule
checked and none unknown.

    tolerance = 0.0          # what is left out stands at its default

    [margins]
    judge = 0.02             # nats per token, the unit of the metric

    [arms.ssmd]              # the same rules, for one arm
    tolerance = 0.01

docs/gate.md lists them all.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from harness.boundary.incoming import Wrong, fitted
from harness.checks.side import COUNTS, FORWARDS


@dataclass(frozen=True)
class Rules:
    tolerance: float = 0.0                                            # of every count, a share of its value in BASE
    counts: Mapping[str, float] = field(default_factory=dict)         # the same, by count
    samples: str = "same-environment"  # where unlike samples are a regression; elsewhere they are reported
    margin: float = 0.05                                              # of every metric, a share of its value in BASE
    margins: Mapping[str, float] = field(default_factory=dict)        # by label of the metric, in its unit
    inconclusive: str = "pass"  # what a metric does that is shown neither equivalent nor worse
    inconclusive_time: str = "fail"                                   # what times do that decide nothing: exit code 4
    missing: str = "pass"  # what a cell does that BASE has finished and NEW does not have
    time_ratio: float = 1.03                                          # NEW over BASE; slower than that is a regression
    arms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, arm: str) -> "Rules":
        """The rules of one arm: its own in place of ours, its tables on top of ours."""
        own = self.arms.get(arm, {})
        return replace(self, **{name: getattr(self, name) | value if isinstance(value, dict) else value for name,
                                value in own.items()})

    def tolerance_of(self, count: str) -> float:
        """For a count, or for calls.NETWORK.KIND."""
        return self.counts.get(count.partition(".")[0], self.tolerance)

    def margin_of(self, label: str, value: float) -> float:
        """In the unit of the metric, of which BASE has this value."""
        return self.margins.get(label, self.margin * abs(value))


Share = Annotated[float, Meta(ge=0, le=1e100)]
Margin = Annotated[float, Meta(gt=0, le=1e100)]
Verdict = Literal["pass", "fail"]


class Own(Struct, forbid_unknown_fields=True):
    """The rules of an arm, as a file may have them."""

    tolerance: Share | UnsetType = UNSET
    counts: dict[str, Any] | UnsetType = UNSET
    samples: Literal["same-environment", "same-machine", "always", "never"] | UnsetType = UNSET
    margin: Margin | UnsetType = UNSET
    margins: dict[str, Any] | UnsetType = UNSET
    inconclusive: Verdict | UnsetType = UNSET
    inconclusive_time: Verdict | UnsetType = UNSET
    missing: Verdict | UnsetType = UNSET
    time_ratio: Annotated[float, Meta(ge=1, le=1e100)] | UnsetType = UNSET


class Every(Own, forbid_unknown_fields=True):
    """The rules of a file."""

    arms: dict[str, Any] | UnsetType = UNSET


def read(path: Path) -> Rules:
    """The rules of a file. Raises ValueError for one that is not TOML, a rule that is unknown, or a value that a rule
    cannot have.
    """
    try:
        data = tomllib.loads(path.read_bytes().decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid TOML ({error}): correct it, or leave --rules out") from None
    return checked(data, str(path))


def checked(data: Mapping[str, Any], where: str) -> Rules:
    """The rules in plain data, `where` being what they are called in an error. Raises ValueError as `read` does."""
    _check(data, Every, where)
    for arm, own in data.get("arms", {}).items():
        _check(own, Own, f"{where}: arms.{arm}")
    return Rules(**data)


def _check(data: Mapping[str, Any], kind: type[Own], where: str) -> None:
    """Raises ValueError, with the rule, for one that is unknown or a value that it cannot have."""
    try:
        fitted(data, kind)
        for table, number in (("counts", Share), ("margins", Margin)):
            for name, value in data.get(table, {}).items():
                if table == "counts" and name not in COUNTS + FORWARDS:
                    raise Wrong(f"counts has no {name!r}; the counts are {', '.join(COUNTS + FORWARDS)}")
                try:
                    fitted(value, number)
                except Wrong as error:
                    raise Wrong(f"the field `{table}.{name}` is wrong ({error})") from None
    except Wrong as error:
        raise ValueError(f"{where}: {error}: correct that rule, or leave it out; docs/gate.md lists them all") from None
