"""Records as operating points with intervals: the one place where a report computes a quality, a cost or a time of a point.

A Group holds points that may stand in one figure: same data, prompts, rows, seed, and the same network as the unit of NFE. Intervals are 95 %
and by bootstrap over rows (harness/stats.py). A metric of the whole set has no rows here, and so no interval. A time is the median over fresh
processes of one machine, with the range over those processes.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import numpy as np

from harness.frontier import Point
from harness.kinds import Scores
from harness.stats import ratio_interval
from reports.records import Cell

BASELINE, HELD_OUT = "ancestral", "held_out"
COSTS = ("nfe_a", "nfe_b", "nfe_c")
FIRST = ("spelling", "judge", "ngram", "exact_nll")    # labels in this order, then the others


class Estimate(NamedTuple):
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None        # rows, or processes


class Quality(NamedTuple):
    label: str
    name: str
    better: str
    unit: str
    per_row: bool

    @property
    def ordered(self) -> bool:
        return self.better in ("lower", "higher")

    @property
    def likelihood(self) -> bool:
        return self.unit.startswith("nats per")


@dataclass
class Row:
    """One operating point, or one control."""

    cell: Cell
    arm: str
    parameters: str
    control: bool
    costs: dict[str, Estimate] = field(default_factory=dict)         # empty for controls
    qualities: dict[str, Estimate] = field(default_factory=dict)
    seconds: Estimate | None = None                                  # per row
    flags: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.cell.record["key"]

    @property
    def n(self) -> int:
        return self.cell.record["cell"]["n"]

    def scores(self, label: str) -> Scores:
        return Scores(self.qualities[label].value, *self.cell.rows(label))

    def point(self, label: str, cost: str) -> Point:
        costs = self.cell.costs()[:, COSTS.index(cost)]
        return Point(float(costs.mean()), self.scores(label), costs)


@dataclass
class Group:
    title: str
    slug: str                      # "" for the first
    rows: list[Row]                # points, cheapest first within an arm
    controls: list[Row]
    arms: list[str]                # in the order of their studies
    qualities: list[Quality]
    n: int

    @property
    def baseline(self) -> str | None:
        return next((arm for arm in self.arms if arm.split(" · ")[0] == BASELINE), None)

    def of(self, arm: str, label: str | None = None) -> list[Row]:
        return [r for r in self.rows if r.arm == arm and (label is None or label in r.qualities)]

    def held_out(self, label: str) -> Estimate | None:
        return next((r.qualities[label] for r in self.controls if r.cell.record["cell"]["sampler"]["name"] == HELD_OUT and label in r.qualities), None)


def short(sampler: dict) -> str:
    """The settings for people: "steps 32", "cosine 0.02, N 2", "steps 24, sandwich 0.25". The linear schedule and the clock go without saying."""
    parts = []
    for name, value in sampler.items():
        if name in ("name", "version") or (name, value) == ("by", "clock"):
            continue
        if not isinstance(value, dict):
            parts.append(f"{ {'rounds': 'N'}.get(name, name) } {value:g}" if isinstance(value, (int, float)) else f"{name} {value}")
        elif name == "host":
            parts.append(short(value) if value["name"] == BASELINE else f"{value['name']} {short(value)}".strip())
        elif (name, value["name"]) != ("schedule", "linear"):
            inner = [f"{v:g}" if isinstance(v, (int, float)) else str(v) for k, v in value.items() if k not in ("name", "version")]
            parts.append(" ".join([value["name"], *inner]))
    return ", ".join(parts)


def groups(cells: Sequence[Cell]) -> list[Group]:
    """Finished cells, by the question they answer; groups of more points come first."""
    done = [c for c in cells if c.record["status"] == "done"]
    by_question: dict[str, list[Cell]] = {}
    for cell in done:
        by_question.setdefault(cell.question(), []).append(cell)
    found = [_group(mine, k) for k, mine in enumerate(sorted(by_question.values(), key=len, reverse=True))]
    return found


def _group(cells: list[Cell], k: int) -> Group:
    names = arm_names(cells)
    arms = [a for cell in cells for a in _study_arms(cell, names)]
    rows = [_row(cell, names[cell.record["key"]]) for cell in cells]
    _add_seconds(rows)
    points = [r for r in rows if not r.control]
    order = {arm: place for place, arm in reversed(list(enumerate(arms)))}
    points.sort(key=lambda r: (order[r.arm], r.costs["nfe_a"].value))
    about = cells[0].record["cell"]
    studies = list(dict.fromkeys(c.record["study"] for c in cells))
    title = f"{', '.join(studies)} · {about['data']['name']}, n = {about['n']:,}, seed {about['seed']}"
    return Group(title, f"-{k + 1}" if k else "", points, [r for r in rows if r.control], list(dict.fromkeys(r.arm for r in points)),
                 _qualities(rows), about["n"])


def _study_arms(cell: Cell, names: dict[str, str]) -> list[str]:
    listed = cell.study.get("arms", [])
    mine = names[cell.record["key"]]
    return [mine] if mine not in listed else [arm for arm in listed if arm in names.values()]


def arm_names(cells: Sequence[Cell]) -> dict[str, str]:
    """key -> name of its arm; where studies use one name for unlike networks or temperatures, the networks are named too."""
    def kind(cell: Cell) -> str:
        about = cell.record["cell"]
        return json.dumps([about["nets"], about.get("temperature", 1.0)], sort_keys=True)

    kinds: dict[str, set] = {}
    for cell in cells:
        kinds.setdefault(cell.record["arm"], set()).add(kind(cell))
    found = {}
    for cell in cells:
        arm, about = cell.record["arm"], cell.record["cell"]
        if len(kinds[arm]) > 1:
            nets = "+".join(f"{name} {about['nets'][role][:4]}" for role, name in about["net_names"].items())
            arm = f"{arm} · {nets}" + (f" T {about['temperature']:g}" if about.get("temperature", 1.0) != 1 else "")
        found[cell.record["key"]] = arm
    return found


def _row(cell: Cell, arm: str) -> Row:
    record = cell.record
    row = Row(cell, arm, short(record["cell"]["sampler"]), bool(record.get("control")))
    if record.get("inert"):
        row.flags.append("inert")
    ones = np.ones(row.n)
    if not row.control:
        costs = cell.costs()
        row.costs = {name: _estimate(costs[:, k], ones) for k, name in enumerate(COSTS)}
    for label, scored in cell.scored.items():
        if scored["status"] == "done":
            row.qualities[label] = _estimate(*cell.rows(label)) if scored["per"] == "row" else Estimate(scored["value"], n=scored["n"])
    return row


def _estimate(numerator: np.ndarray, denominator: np.ndarray) -> Estimate:
    if len(numerator) < 2:
        return Estimate(float(numerator.sum() / denominator.sum()), n=len(numerator))
    try:
        found = ratio_interval(numerator, denominator)
    except ValueError:                                                             # a resample holds nothing that the metric counts
        return Estimate(float(numerator.sum() / denominator.sum()), n=len(numerator))
    return Estimate(found.value, found.low, found.high, found.n)


def _add_seconds(rows: list[Row]) -> None:
    """Times of the machine that timed most; times of other code than that of the samples do not count."""
    valid = {row.key: [t for t in row.cell.timed if t["seconds"] and t.get("code", row.cell.record["code"]) == row.cell.record["code"]] for row in rows}
    machines = Counter(t["machine"] for times in valid.values() for t in times)
    for row in rows:
        times = [t for t in valid[row.key] if t["machine"] == machines.most_common(1)[0][0]]
        if times:
            found = [median(t["seconds"]) / t["rows"] for t in times]
            row.seconds = Estimate(median(found), min(found), max(found), len(found))
        if any(not t["same_output"] for t in times):
            row.flags.append("timed run differs")


def _qualities(rows: list[Row]) -> list[Quality]:
    found = {}
    for row in rows:
        for label in row.qualities:
            scored = row.cell.scored[label]
            found[label] = Quality(label, scored["metric"]["name"], scored["better"], scored["unit"], scored["per"] == "row")
    rank = {name: k for k, name in enumerate(FIRST)}
    return sorted(found.values(), key=lambda q: (not q.ordered, rank.get(q.name, len(rank)), not q.per_row))
