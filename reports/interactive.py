"""The data of the page's interactive front: every operating point once, with its costs and metrics as [value, low,
high].

Numbers have six significant digits, enough for a screen; those of full precision stand in numbers.json.
"""

import numpy as np

from reports import style
from reports.busy import disturbed
from reports.frame import DOUBTS, Chapter, span
from reports.front import directional, held_out
from reports.style import AXES


def data(chapter: Chapter, baseline: str | None) -> dict | None:
    """None where no point has both a cost and a metric with a better side."""
    done, look = chapter.done(), style.looks(chapter.palette, baseline)
    costs = [cost for cost in AXES if cost in done and done[cost].notna().any()]
    metrics = [label for label in directional(chapter) if done[label].notna().any()]
    if not costs or not metrics:
        return None
    arms = [arm for arm in chapter.arms if (done.arm == arm).any()]
    points = [
        {
            "arm": arms.index(row["arm"]),
            "setting": row["setting"],
            "key": row["key"],
            "n": row["n"],
            "flags": [flag for flag in DOUBTS if row[flag]],
            "busy": [cost for cost in costs if cost == "seconds" and disturbed(row.get("seconds.busy", np.nan))],
            "at": {column: _known(row, column) for column in (*costs, *metrics)
                   if np.isfinite(row.get(column, np.nan))},
        }
        for row in done.to_dict("records")
    ]
    levels = {label: held_out(chapter, label) for label in metrics}
    return {
        "costs": {cost: AXES[cost] for cost in costs},
        "metrics": [
            {"label": label, "unit": chapter.metrics[label]["unit"], "better": chapter.metrics[label]["better"],
             "level": (level := levels[label]) and _short(level[label])}
            for label in metrics
        ],
        "arms": [{"name": arm, "sign": look[arm].sign, "colour": look[arm].colour if look[arm].colour != style.INK
                  else ""} for arm in arms],
        "points": points,
    }


def _known(row: dict, column: str) -> list[float]:
    value, *ends = span(row, column)
    return [_short(x) for x in (value, *(ends if np.isfinite(ends).all() else ()))]


def _short(value: float) -> float:
    return float(f"{value:.6g}")
