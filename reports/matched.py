"""What an arm saves at the quality of a setting of the baseline: ratios of settings that were run
(harness/stats/realised.py), never read between two.

goals    settings of the baseline that were run: those nearest to PASSES, none of which a cheaper setting of the
         baseline beats
sides    the metric, and beside it the n-gram divergence that sees lost diversity, where it was scored by row
margin   worse by less counts as equal: what the command names (`report --margins`), else MARGIN of the distance between
         the baseline's worst and best value of the metric, and at most MARGIN of the value that is matched: else a
         bad setting of few passes would widen it, where a metric has no upper end (a Frechet distance)
choice   by NFE A on the even rows; all numbers of a row of the frame are of the odd ones, which chose nothing
A, B, C  are ratios of one and the same setting

The guide (reports/guide.py) stands in the same frame.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.kinds import Scores
from harness.stats.frontier import APART
from harness.stats.realised import EVEN, ODD, Realised, Setting, Side, behind, choose, report, saved
from reports.frame import COSTS, Chapter, from_near
from reports.front import directional, dressed, verifying
from reports.guide import guide

PASSES = (20, 32, 48, 64)  # of the baseline, convention A, whose quality is matched
METRICS = 2  # that are matched
MARGIN = 0.1
DIVERSITY = "ngram_kl"
FEWEST = 4  # rows, two of which report


class Run(NamedTuple):
    """An operating point: what is matched, and what stands beside it."""

    setting: Setting  # by its key, costs by A
    costs: np.ndarray  # (n, 3)
    words: str

    def part(self, rows: slice) -> "Run":
        return Run(self.setting.part(rows), self.costs[rows], self.words)

    def value(self, label: str) -> float:
        scores = self.setting.scores[label]
        return float(np.sum(scores.numerator) / np.sum(scores.denominator))


def matched(chapter: Chapter, baseline: str | None, resamples: int = 2000,
            margins: Mapping[str, float] = MappingProxyType({})) -> pd.DataFrame:
    """Columns kind (realised | guide), metric, better, unit, baseline, n; of the goal: goal, goal_key, passes, quality;
    cost, baseline_cost, arm_cost, ratio, low, high, reason;

    of a realised row also: setting and key of the arm, n_reported, excess with .low and .high, margin and margin_of
    (where it is from), side (the other one) with the same, cheaper and cheaper_cost (the cheapest setting that is not
    shown to be worse), next_cost (of the dearest setting that is cheaper), at_least.
    """
    if not baseline:
        return dressed(chapter, [], baseline)
    rows, other = [], diversity(chapter)
    for label in primaries(chapter):
        labels = [label, *other]
        if other and len(runs(chapter, baseline, labels)) < 2:
            labels = [label]
        base = runs(chapter, baseline, labels)
        if len(base) < 2:
            continue
        better = chapter.metrics[label]["better"]
        about = {"metric": label, "better": better, "unit": chapter.metrics[label]["unit"],
                 "baseline": baseline, "n": len(base[0].costs)}
        about |= (
            {"side": labels[1], "side_unit": chapter.metrics[labels[1]]["unit"]}
            if len(labels) > 1
            else {"side": "", "side_unit": ""}
        )
        for arm in chapter.arms:
            if arm == baseline or not (mine := runs(chapter, arm, labels)) and not runs(chapter, arm, [label]):
                continue
            for goal in goals(base, label, better):
                found = [margin([run.value(name) for run in base], goal.value(name), margins.get(name))
                         for name in labels]
                sides = [Side(name, chapter.metrics[name]["better"], m) for name, (m, _) in zip(labels, found)]
                of = {f"{head}margin_of": of for head, (_, of) in zip(("", "side_"), found)}
                rows += [about | of | {"arm": arm} | row for row in realised(goal, mine, sides, baseline)]
            rows += [about | {"arm": arm} | row for row in guide([r.setting for r in base], [r.setting for r in mine],
                                                                 label, better, resamples)]
    return dressed(chapter, rows, baseline)


def diversity(chapter: Chapter) -> list[str]:
    """The label of the metric by row that sees lost diversity, if there is one."""
    found = [
        label
        for label in directional(chapter)
        if (about := chapter.metrics[label])["name"] == DIVERSITY and about["metric"].get("direction", "forward")
        == "forward" and about["per"] == "row"
    ]
    return found[:1]


def primaries(chapter: Chapter) -> list[str]:
    """The metrics at whose equal value costs are compared."""
    return [label for label in directional(chapter) if chapter.metrics[label]["name"] != DIVERSITY][:METRICS]


def runs(chapter: Chapter, arm: str, labels: Sequence[str]) -> list[Run]:
    """The operating points of an arm that have a cost and all these scores for every row, cheapest first."""
    found, done = [], chapter.done(arm)
    for row in done[~done.collapsed].to_dict("records"):
        if row["nfe_a"] > 0 and all(np.isfinite(row.get(f"{column}.low", np.nan)) for column in (*labels, *COSTS)):
            cell = chapter.cells[row["key"]]
            costs, scores = cell.costs(), {label: Scores(row[label], *cell.rows(label)) for label in labels}
            found.append(Run(Setting(row["key"], costs[:, 0], scores), costs, row["setting"]))
    return sorted(found, key=lambda run: run.setting.cost)


def margin(values: Sequence[float], goal: float, named: float | None = None) -> tuple[float, str]:
    """By how much worse than the goal counts as equal, and why: the command, the range of the baseline's values, or the
    goal's own value.

    >>> margin([40.0, 4.0, 2.0], goal=2.0)    # the Frechet distance of a setting of few passes widens no margin
    (0.2, 'value')
    >>> margin([2.75, 2.5, 2.25], goal=2.5), margin([40.0, 2.0], 2.0, named=0.5)
    ((0.05, 'range'), (0.5, 'named'))
    """
    if named is not None:
        return named, "named"
    spread, own = MARGIN * (max(values) - min(values)), MARGIN * abs(goal)
    return (own, "value") if own < spread else (spread, "range")


def goals(base: Sequence[Run], label: str, better: str) -> list[Run]:
    """Of the baseline's front the settings nearest to PASSES; where its range holds none of these, up to three in its
    middle.
    """
    up = 1 if better == "higher" else -1
    best = np.maximum.accumulate([up * run.value(label) for run in base])
    front = [run for k, run in enumerate(base) if not k or up * run.value(label) > best[k - 1]]
    costs = np.array([run.setting.cost for run in front])
    wanted = [p for p in PASSES if base[0].setting.cost <= p <= base[-1].setting.cost] or np.geomspace(
        costs[0], costs[-1], 5
    )[1:4]
    return [front[k] for k in sorted({int(np.abs(np.log(costs / p)).argmin()) for p in wanted})]


def realised(goal: Run, mine: Sequence[Run], sides: Sequence[Side], baseline: str) -> list[dict]:
    """A row for each of A, B and C: of the cheapest setting that is not worse, or the reason why there is none."""
    about = {"kind": "realised", "goal": goal.words, "goal_key": goal.setting.name, "margin": sides[0].margin,
             "n_reported": len(goal.costs[ODD])}
    if len(goal.costs) < FEWEST:
        return _none(about, goal,
                     f"{len(goal.costs)} rows cannot be halved into some that choose and some that report: run more")
    told, known = goal.part(ODD), {run.setting.name: run.part(ODD) for run in mine}
    about |= {"side_margin": sides[-1].margin if len(sides) > 1 else np.nan}
    if flat := [side.label for side in sides if not side.margin > 0]:
        return _none(about, told, f"the settings of {baseline} do not differ in {flat[0]}, or it is 0 there, so that "
                                  f"there is no margin: name one, `report --margins {flat[0]}=NUMBER`")
    if not mine:
        return _none(about, told,
                     f"none of its settings is scored by both {' and '.join(side.label for side in sides)}")
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            halves = [run.part(EVEN).setting for run in (goal, *mine)]
            order = choose(halves[0], halves[1:], sides)
            found = report(told.setting, [run.setting for run in known.values()], order, sides)
    except ValueError as error:
        return _none(about, told, str(error))
    about |= _excess(found, sides)
    if found.ratio is None:
        return _none(about, told, _why(found, order, halves, known, sides))
    best, cheapest = known[found.setting], known[found.cheaper]
    below = max((run.setting.cost for run in known.values() if run.setting.cost < best.setting.cost), default=np.nan)
    about |= {"setting": best.words, "key": found.setting, "cheaper": cheapest.words,
              "cheaper_cost": cheapest.setting.cost}
    about |= {"next_cost": below, "at_least": not best.setting.cost <= APART * below}
    return [
        about | _goal(told, sides[0].label, cost) | {"arm_cost": float(best.costs[:, k].mean()), "ratio": v.value,
                                                     "low": v.low, "high": v.high, "reason": ""}
        for k, cost in enumerate(COSTS)
        for v in [saved(told.costs[:, k], best.costs[:, k], cheapest.costs[:, k])]
    ]


def _goal(told: Run, label: str, cost: str) -> dict:
    return {"cost": cost, "passes": told.setting.cost, "quality": told.value(label),
            "baseline_cost": float(told.costs[:, COSTS.index(cost)].mean())}


def _none(about: dict, told: Run, reason: str) -> list[dict]:
    label = next(iter(told.setting.scores))  # the metric, before the other side
    unknown = {"setting": "", "key": "", "cheaper": "", "at_least": False, "arm_cost": np.nan, "ratio": np.nan,
               "low": np.nan, "high": np.nan}
    return [about | unknown | _goal(told, label, cost) | {"reason": reason} for cost in COSTS]


def _excess(found: Realised, sides: Sequence[Side]) -> dict:
    """How much worse the setting is on each side, of which the second has names of its own."""
    held = [found.excess[side.label] for side in sides if side.label in found.excess]
    return {f"{head}excess{end}": x for head, e in zip(("", "side_"), held) for end,
            x in (("", e.value), ("_low", e.low), ("_high", e.high))}


def _why(found: Realised, order: Sequence[str], halves: Sequence[Setting], known: dict[str, Run],
         sides: Sequence[Side]) -> str:
    """Why there is no ratio: of the setting that came nearest."""
    if not order:
        near = min(halves[1:], key=lambda s: behind(s, halves[0], sides))
        side = max(sides, key=lambda side: behind(near, halves[0], [side]))
        worse = behind(near, halves[0], [side]) * side.margin
        return ("no setting that was run is within half of the margin on the rows that choose: the "
                f"nearest{_named(known[near.name])} is worse by {worse:.2g} of {side.label}")
    side = next(side for side in sides if found.excess[side.label].high > side.margin)
    e = found.excess[side.label]
    more = "; more rows may tell" if e.value < side.margin else ""
    return (
        f"the surest setting{_named(known[order[0]])} is not shown to be no worse: {side.label} worse by "
        f"{e.value:.2g} ({e.low:.2g} to {e.high:.2g}), "
        f"and less than {side.margin:.2g} counts as equal{more}"
    )


def _named(run: Run) -> str:
    return f", {run.words}," if run.words else ""


def headline(ratios: pd.DataFrame, chapter: Chapter) -> pd.DataFrame:
    """One realised row a metric and arm, by A: at the goal nearest to NEAR passes that has a ratio. The arm that
    verifies drafts stands first.
    """
    if ratios.empty:
        return ratios
    known = ratios[(ratios.kind == "realised") & (ratios.cost == "nfe_a") & ratios.ratio.notna()].copy()
    speculative = verifying(chapter)
    known["_place"] = from_near(known.passes)
    known["_arm"] = known.arm.map(lambda arm: (arm not in speculative) * len(chapter.arms) + chapter.arms.index(arm))
    known = known.sort_values(["_arm", "_place"], kind="stable").drop_duplicates(["metric", "arm"])
    return known.drop(columns=["_place", "_arm"])


def note(ratios: pd.DataFrame) -> dict:
    """How many comparisons were made, and how many found a setting."""
    if ratios.empty:
        return {"stated": 0, "found": 0}
    stated = ratios[(ratios.kind == "realised") & (ratios.cost == "nfe_a")]
    return {"stated": len(stated), "found": int(stated.ratio.notna().sum())}
