"""NFE at matched quality: passes of the baseline over passes of an arm, as a function of the quality that both reach.

By harness.frontier.matched_ratio: frontiers joined in (log cost, quality), nothing extrapolated, pointwise 95 % intervals that cover cost and quality
by resampling the rows of all points together. Above 1 the arm is cheaper.
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.frontier import Matched, matched_curve, matched_ratio, nfe_at_quality
from reports.frame import Group, Quality
from reports.plots.tradeoff import axis_label
from reports.style import MUTED, SINGLE, Look, legend, panels

COST = "nfe_a"
GRID, CURVE_RESAMPLES = 15, 1000
RANGE = (16, 64)    # passes of the baseline, for the table


def compute(group: Group, quality: Quality) -> dict | None:
    """arm -> curve over qualities, and rows of the table at the baseline's own points; None without a baseline or another arm."""
    base = _frontier_rows(group, group.baseline, quality) if group.baseline else []
    if not base or not quality.per_row or not quality.ordered or group.n < 2:
        return None
    points = [r.point(quality.label, COST) for r in base]
    inside = [r for r in base if RANGE[0] <= r.costs[COST].value <= RANGE[1]]
    listed = inside or base
    found = {}
    for arm in group.arms:
        rows = _frontier_rows(group, arm, quality)
        if arm == group.baseline or not rows:
            continue
        mine = [r.point(quality.label, COST) for r in rows]
        values = [p.scores.value for p in points + mine]
        grid = [q for q in np.linspace(min(values), max(values), 4 * GRID) if all(nfe_at_quality(side, q, quality.better) for side in (points, mine))]
        grid = [grid[k] for k in np.unique(np.linspace(0, len(grid) - 1, GRID).round().astype(int))] if grid else []
        curve = matched_curve(points, mine, grid, quality.better, CURVE_RESAMPLES)
        table = [_plain(matched_ratio(points, mine, r.scores(quality.label), quality.better)) | {"key": r.key, "parameters": r.parameters, "nfe": r.costs[COST].value}
                 for r in listed]
        found[arm] = {"curve": [_plain(m) for m in curve], "at_baseline": table}
    if not found:
        return None
    return {"label": quality.label, "cost": COST, "baseline": group.baseline, "n": group.n, "in_range": bool(inside), "arms": found}


def _frontier_rows(group: Group, arm: str, quality: Quality) -> list:
    return [r for r in group.of(arm, quality.label) if r.costs[COST].value > 0]


def _plain(m: Matched) -> dict:
    return {"quality": m.quality, "baseline_cost": m.baseline_cost, "arm_cost": m.arm_cost, "ratio": m.interval and m.interval.value,
            "low": m.interval and m.interval.low, "high": m.interval and m.interval.high, "missed": m.missed, "resamples": m.resamples, "reason": m.reason}


def drawable(data: dict) -> bool:
    return any(sum(p["ratio"] is not None for p in arm["curve"]) > 1 for arm in data["arms"].values())


def draw(data: dict, quality: Quality, looks: dict[str, Look]) -> Figure:
    figure, axes = panels(1, 1, SINGLE, 2.0)
    ax, handles, labels = axes[0, 0], [], []
    for arm, found in data["arms"].items():
        points = [p for p in found["curve"] if p["ratio"] is not None]
        if len(points) < 2:
            continue
        x, look = [p["quality"] for p in points], looks[arm]
        ax.fill_between(x, [p["low"] for p in points], [p["high"] for p in points], color=look.colour, alpha=0.18, linewidth=0)
        line, = ax.plot(x, [p["ratio"] for p in points], color=look.colour, marker=look.marker, markersize=2.6)
        handles.append(line)
        labels.append(arm)
    handles.append(ax.axhline(1, color=MUTED, linestyle=(0, (4, 2.5)), linewidth=0.9))
    labels.append(f"{data['baseline']} = 1")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    if quality.better == "lower":
        ax.invert_xaxis()
    ax.set_xlabel(f"{axis_label(quality)}, better to the right")
    ax.set_ylabel(f"NFE A, {data['baseline']} / arm")
    legend(figure, handles, labels, SINGLE)
    return figure
