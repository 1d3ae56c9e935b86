"""Chapters -> tidy frames that plots draw: trade-off points, cost ratios at matched quality, likelihood beside entropy, acceptance.

Every frame has arm, setting, key, colour, marker, n and subject (data and length, for captions). Statistics are those of harness/frontier.py:
cost at a quality joins the points of an arm by lines in (log cost, running best); nothing is extrapolated.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from harness.frontier import Matched, Point, matched_curve, pareto, rising
from harness.kinds import Scores
from reports.frame import COSTS, DOUBTS, Chapter, span
from reports.records import Cell
from reports.style import AXES, looks
from reports.text import plain, short
from reports.windows import by_tenth

PASSES = (20, 32, 48, 64)  # of the baseline, convention A, whose quality is matched
HEADLINE = (32, 48, 20, 64)  # the first of these that both frontiers reach stands in the headline
GRID = 13  # qualities of a curve
DISTINCT = "distinct"  # what stands beside a likelihood, as an entropy does
NATS = "nats per token"  # the unit of a judge, of tokens of the data


def baseline_of(chapter: Chapter, name: str) -> str | None:
    """The arm of this name, or else the first whose sampler has it."""
    found = chapter.frame[~chapter.frame.control]
    arms = [*found.arm[found.arm == name], *found.arm[[json.loads(sampler)["name"] == name for sampler in found.sampler]]]
    return arms[0] if arms else None


def directional(chapter: Chapter) -> list[str]:
    """Labels of metrics that have a better side, and some value. A share of distinct n-grams is for nonsense the highest: it is no quality where there is another."""
    found = [label for label, m in chapter.metrics.items() if m["better"] in ("lower", "higher") and label in chapter.frame]
    return [label for label in found if chapter.metrics[label]["name"] != DISTINCT] or found


def subject(chapter: Chapter) -> str:
    data = next(iter(chapter.cells.values())).record["cell"]["data"]
    return short(plain(data["name"]), 60) + (f", L = {data['length']}" if "length" in data else "")


def dressed(chapter: Chapter, rows: list[dict], baseline: str | None) -> pd.DataFrame:
    """The rows with what every figure needs of an arm."""
    look = looks(chapter.palette, baseline)
    frame = pd.DataFrame(rows)
    if len(frame):
        known = [look.get(arm) for arm in frame.arm]
        frame["colour"], frame["marker"] = [x and x.colour for x in known], [x and x.marker for x in known]
        frame["subject"] = subject(chapter)
    return frame


def held_out(chapter: Chapter, label: str, name: str = "held_out") -> dict | None:
    """The held-out rows under a metric."""
    found = chapter.frame[
        chapter.frame.control & (chapter.frame.status == "done") & chapter.frame.sampler.str.contains(f'"{name}"', regex=False)
    ]
    found = found[found[label].notna()] if label in found else found[:0]
    return None if found.empty else found.iloc[0].to_dict()


def tradeoff(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Columns metric, better, unit, rank, cost, x, x_low, x_high, y, y_low, y_high, on_front, hollow, collapsed, level (of held-out rows)."""
    rows, done = [], chapter.done()
    for rank, label in enumerate(directional(chapter)):
        about, level = chapter.metrics[label], held_out(chapter, label)
        for cost in AXES:
            if cost not in done or label not in done:
                continue
            mine = done[done[cost].gt(0) & done[label].notna()]
            front = np.zeros(len(mine), bool)
            if sound := list(np.flatnonzero(~mine.collapsed)):
                front[sound] = pareto(mine[cost].iloc[sound], mine[label].iloc[sound], about["better"])
            wanted = ("arm", "setting", "key", "n", *DOUBTS, "seconds.n", "seconds.busy", "timed_rows", *(f"{c}{end}" for c in (cost, label) for end in ("", ".low", ".high")))
            for row, on_front in zip(mine[[c for c in wanted if c in mine]].to_dict("records"), front):
                rows.append(
                    {
                        "arm": row["arm"],
                        "setting": row["setting"],
                        "key": row["key"],
                        "n": row["n"],
                        "metric": label,
                        "better": about["better"],
                        "unit": about["unit"],
                        "rank": rank,
                        "cost": cost,
                        **along("x", row, cost),
                        **along("y", row, label),
                        "on_front": bool(on_front),
                        "hollow": doubtful(row),
                        "collapsed": row["collapsed"],
                        "level": level[label] if level else np.nan,
                        "n_time": row.get("seconds.n", np.nan),
                        "busy": row.get("seconds.busy", np.nan),
                        "timed_rows": row.get("timed_rows", np.nan),
                    }
                )
    return dressed(chapter, rows, baseline)


def doubtful(row: Mapping) -> bool:
    """Whether a point is drawn hollow."""
    return any(row[flag] for flag in DOUBTS)


def along(axis: str, row: Mapping | pd.Series, column: str) -> dict[str, float]:
    """A column with its interval, where the axis "x" has x, x_low and x_high."""
    return dict(zip((axis, f"{axis}_low", f"{axis}_high"), span(row, column)))


def frontiers(chapter: Chapter, arm: str, label: str) -> dict[str, list[Point]]:
    """By A, B and C, the operating points of an arm that have a score and a cost for every row."""
    points = {cost: [] for cost in COSTS}
    done = chapter.done(arm)
    for row in done[~done.collapsed].to_dict("records"):
        known = [cost for cost in COSTS if all(np.isfinite(row.get(f"{column}.low", np.nan)) for column in (label, cost))]
        if known:
            cell = chapter.cells[row["key"]]
            scores, costs = Scores(row[label], *cell.rows(label)), cell.costs()
            for cost in known:
                points[cost].append(Point(row[cost], scores, costs[:, COSTS.index(cost)]))
    return points


def quality_at(points: Sequence[Point], passes: float, better: str) -> float | None:
    """The quality that the frontier has at a cost; None outside the costs it was measured at."""
    up = 1 if better == "higher" else -1
    ordered = sorted(points, key=lambda point: point.cost)
    costs = [point.cost for point in ordered]
    if len(costs) < 2 or not costs[0] <= passes <= costs[-1]:
        return None
    best = np.maximum.accumulate([up * point.scores.value for point in ordered])
    return float(up * np.interp(np.log(passes), np.log(costs), best))


def matched(chapter: Chapter, baseline: str | None, resamples: int = 2000) -> pd.DataFrame:
    """Columns metric, better, unit, cost, kind (stated | curve), passes (of the baseline, A), quality, baseline_cost, arm_cost, ratio, low, high, reason.

    Stated: at the quality that the baseline has at PASSES, or within its range where none of these lies, ratios by A, B and C. Curve: by A.
    """
    rows = []
    for label in directional(chapter)[:2] if baseline else []:
        better = chapter.metrics[label]["better"]
        base = frontiers(chapter, baseline, label)
        if len(base["nfe_a"]) < 2:
            continue
        low, high = (f(point.cost for point in base["nfe_a"]) for f in (min, max))
        stated = [p for p in PASSES if low <= p <= high] or [float(f"{p:.3g}") for p in np.geomspace(low, high, 5)[1:4]]
        grid = {
            q: p for p in np.geomspace(low * (1 + 1e-9), high * (1 - 1e-9), GRID) if (q := quality_at(base["nfe_a"], p, better)) is not None
        }
        fronts = {cost: rising(base[cost], better, resamples) for cost in COSTS}
        for arm in chapter.arms:
            points = frontiers(chapter, arm, label) if arm != baseline else {"nfe_a": []}
            if not points["nfe_a"]:
                continue
            about = {
                "arm": arm,
                "setting": "",
                "key": "",
                "metric": label,
                "better": better,
                "unit": chapter.metrics[label]["unit"],
                "n": len(base["nfe_a"][0].costs),
                "baseline": baseline,
            }
            levels = [quality_at(base["nfe_a"], passes, better) for passes in stated]
            for cost in COSTS:
                curve = grid if cost == "nfe_a" else {}
                found = matched_curve(fronts[cost], rising(points[cost], better, resamples), [*levels, *curve])
                kinds = [("stated", p) for p in stated] + [("curve", p) for p in curve.values()]
                rows += [about | {"kind": kind, "cost": cost, "passes": p} | _found(m) for (kind, p), m in zip(kinds, found)]
    return dressed(chapter, rows, baseline)


def _found(m: Matched) -> dict:
    value, low, high = (m.interval.value, m.interval.low, m.interval.high) if m.interval else (np.nan,) * 3
    return {
        "quality": m.quality,
        "baseline_cost": m.baseline_cost,
        "arm_cost": m.arm_cost,
        "ratio": value,
        "low": low,
        "high": high,
        "missed": m.missed,
        "resamples": m.resamples,
        "reason": m.reason,
    }


def headline(ratios: pd.DataFrame, chapter: Chapter) -> pd.DataFrame:
    """One stated row a metric and arm, by A: at the first of HEADLINE that both reach. The arm that verifies drafts stands first."""
    if ratios.empty:
        return ratios
    known = ratios[(ratios.kind == "stated") & (ratios.cost == "nfe_a") & ratios.ratio.notna()].copy()
    known["_place"] = known.passes.map(lambda p: HEADLINE.index(p) if p in HEADLINE else len(HEADLINE))
    speculative = verifying(chapter)
    known["_arm"] = known.arm.map(lambda arm: (arm not in speculative) * len(chapter.arms) + chapter.arms.index(arm))
    known = known.sort_values(["_arm", "_place"], kind="stable").drop_duplicates(["metric", "arm"])
    return known.drop(columns=["_place", "_arm"])


def likelihood(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Every likelihood with every entropy, and with distinct n-grams.

    Columns metric, entropy, entropy_unit, x (entropy), y (likelihood) with spans, x_level, y_level; order by nfe_a.
    """
    nll = [label for label, m in chapter.metrics.items() if m["unit"].startswith("nats per") and label in chapter.frame]
    beside = [label for label, m in chapter.metrics.items() if (m["name"].endswith("entropy") or m["name"] == DISTINCT) and label in chapter.frame]
    rank = {"sample_entropy": 0, DISTINCT: 1}  # two are drawn, and one of them should see the order of tokens
    entropies = sorted(beside, key=lambda label: rank.get(chapter.metrics[label]["name"], len(rank)))
    rows, levels = [], {label: held_out(chapter, label) for label in nll + entropies}
    for metric in nll:
        for entropy in entropies:
            for row in chapter.done().to_dict("records"):
                if np.isfinite(row[metric]) and np.isfinite(row[entropy]):
                    x_level, y_level = (levels[label][label] if levels[label] else np.nan for label in (entropy, metric))
                    rows.append(
                        {
                            "arm": row["arm"],
                            "setting": row["setting"],
                            "key": row["key"],
                            "n": row["n"],
                            "metric": metric,
                            "entropy": entropy,
                            "entropy_unit": chapter.metrics[entropy]["unit"],
                            **along("x", row, entropy),
                            **along("y", row, metric),
                            "hollow": doubtful(row),
                            "x_level": x_level,
                            "y_level": y_level,
                            "nfe_a": row["nfe_a"],
                        }
                    )
    return dressed(chapter, rows, baseline)


def verified(cell: Cell) -> dict | None:
    """The cost of a cell that tested drafts."""
    cost = cell.record["cost"]
    return cost if any(map(any, (cost.get("tested") or {}).values())) else None


def verifying(chapter: Chapter) -> set[str]:
    """The arms that test drafts."""
    done = chapter.done()
    return {arm for key, arm in zip(done.key, done.arm) if verified(chapter.cells[key])}


def acceptance(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Columns by (depth | progress | round), index (from 1), tested, passed, share, nfe_a, window (mean width, by progress): of arms that verify drafts."""
    rows = []
    for row in chapter.done().to_dict("records"):
        if (cost := verified(chapter.cells[row["key"]])) is None:
            continue
        record, tested, passed = chapter.cells[row["key"]].record, cost["tested"], cost["passed"]
        widths = by_tenth(record["cell"]["sampler"].get("window") or {}, record["cell"]["data"].get("length") or len(tested.get("depth", ()))) or [np.nan] * 10
        about = {column: row[column] for column in ("arm", "setting", "key", "n", "nfe_a")}
        for by in tested:
            for k, t in enumerate(tested[by]):
                if t:
                    window = widths[k] if by == "progress" else np.nan
                    rows.append(about | {"by": by, "index": k + 1, "tested": t, "passed": passed[by][k], "share": passed[by][k] / t, "window": window})
    return dressed(chapter, rows, baseline)
