"""Chapters -> tidy frames that plots draw: trade-off points, likelihood beside entropy, acceptance. Ratios at matched
quality: reports/matched.py.

Every frame has arm, setting, key, colour, marker, n and subject (data and length, for captions).
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness.stats.frontier import pareto
from reports.busy import disturbed
from reports.frame import DOUBTS, Chapter, span
from reports.records import Cell
from reports.style import AXES, looks
from reports.text import plain, short
from reports.windows import by_tenth

DISTINCT = "distinct"  # what stands beside a likelihood, as an entropy does
NATS = "nats per token"  # the unit of a judge, of tokens of the data


def baseline_of(chapter: Chapter, name: str) -> str | None:
    """The arm of this name, or else the first whose sampler has it."""
    found = chapter.frame[~chapter.frame.control]
    arms = [*found.arm[found.arm == name], *found.arm[[json.loads(sampler)["name"] == name
                                                       for sampler in found.sampler]]]
    return arms[0] if arms else None


def directional(chapter: Chapter) -> list[str]:
    """Labels of metrics that have a better side, and some value. A share of distinct n-grams is for nonsense the
    highest: it is no quality where there is another.
    """
    found = [label for label, m in chapter.metrics.items() if m["better"] in ("lower", "higher")
             and label in chapter.frame]
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


def points(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Every finished operating point, with all columns of the chapter."""
    return dressed(chapter, chapter.done().to_dict("records"), baseline)


def held_out(chapter: Chapter, label: str, name: str = "held_out") -> dict | None:
    """The held-out rows under a metric."""
    found = chapter.frame[
        chapter.frame.control & (chapter.frame.status == "done")
        & chapter.frame.sampler.str.contains(f'"{name}"', regex=False)
    ]
    found = found[found[label].notna()] if label in found else found[:0]
    return None if found.empty else found.iloc[0].to_dict()


def tradeoff(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Columns metric, better, unit, rank, cost, x, x_low, x_high, y, y_low, y_high, on_front, hollow, collapsed, level
    (of held-out rows).
    """
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
            wanted = ("arm", "setting", "key", "n", *DOUBTS, "seconds.n", "seconds.busy", "timed_rows",
                      *(f"{c}{end}" for c in (cost, label) for end in ("", ".low", ".high")))
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
                        "hollow": doubtful(row) or cost == "seconds" and disturbed(row.get("seconds.busy", np.nan)),
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


def likelihood(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Every likelihood with every entropy, and with distinct n-grams.

    Columns metric, entropy, entropy_unit, x (entropy), y (likelihood) with spans, x_level, y_level; order by nfe_a.
    """
    nll = [label for label, m in chapter.metrics.items() if m["unit"].startswith("nats per") and label in chapter.frame]
    beside = [label for label, m in chapter.metrics.items() if (m["name"].endswith("entropy") or m["name"] == DISTINCT)
              and label in chapter.frame]
    rank = {"sample_entropy": 0, DISTINCT: 1}  # two are drawn, and one of them should see the order of tokens
    entropies = sorted(beside, key=lambda label: rank.get(chapter.metrics[label]["name"], len(rank)))
    rows, levels = [], {label: held_out(chapter, label) for label in nll + entropies}
    for metric in nll:
        for entropy in entropies:
            for row in chapter.done().to_dict("records"):
                if np.isfinite(row[metric]) and np.isfinite(row[entropy]):
                    x_level, y_level = (level[label] if (level := levels[label]) else np.nan
                                        for label in (entropy, metric))
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
    """Columns by (depth | progress | round), index (from 1), tested, passed, share, nfe_a, window (mean width, by
    progress): of arms that verify drafts.
    """
    rows = []
    for row in chapter.done().to_dict("records"):
        if (cost := verified(chapter.cells[row["key"]])) is None:
            continue
        record, tested, passed = chapter.cells[row["key"]].record, cost["tested"], cost["passed"]
        widths = (
            by_tenth(
                record["cell"]["sampler"].get("window") or {},
                record["cell"]["data"].get("length") or len(tested.get("depth", ())),
            )
            or [np.nan] * 10
        )
        about = {column: row[column] for column in ("arm", "setting", "key", "n", "nfe_a")}
        for by in tested:
            for k, t in enumerate(tested[by]):
                if t:
                    window = widths[k] if by == "progress" else np.nan
                    rows.append(about | {"by": by, "index": k + 1, "tested": t, "passed": passed[by][k],
                                         "share": passed[by][k] / t, "window": window})
    return dressed(chapter, rows, baseline)
