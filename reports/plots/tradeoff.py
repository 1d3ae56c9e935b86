"""Quality against cost: every operating point with its 95 % intervals, each arm's own front, and the Pareto front of all.

Costs are means per row on a log axis: NFE by convention A or C (spec ssmd.md section 6), or seconds. Lines join points in (log cost, quality), as
harness/frontier.py does.
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.frontier import pareto
from reports.frame import Estimate, Group, Quality, Row
from reports.style import FRONT, MUTED, SINGLE, Look, legend, log_x, panels

COSTS = {"nfe_a": "NFE A (passes of the reference, by blocks)", "nfe_c": "NFE C (passes of the reference, by FLOPs)", "seconds": "seconds per row",
         "sample_entropy": "entropy per sample (nats)"}
STRETCH = 0.6    # of the axis that the points need: a held-out level further off is written, not drawn
LABELS = {"spelling": "spelling accuracy", "judge": "NLL under the judge (nats per token)", "ngram": "NLL under n-grams (nats per token)",
          "exact_nll": "exact NLL (nats per token)", "ngram_precision": "n-gram precision", "law_tv": "distance to the law (total variation)"}


def axis_label(quality: Quality) -> str:
    return LABELS.get(quality.label, f"{quality.label} ({quality.unit})")


def cost_of(row: Row, cost: str) -> Estimate | None:
    if cost == "seconds":
        return row.seconds
    return row.qualities.get(cost) if cost == "sample_entropy" else row.costs.get(cost)


def compute(group: Group, quality: Quality, cost: str) -> dict | None:
    """What the figure shows, as plain numbers; None if no point has both."""
    rows = [r for r in group.rows if quality.label in r.qualities and (x := cost_of(r, cost)) and x.value > 0]
    if not rows:
        return None
    arms: dict[str, list[dict]] = {arm: [] for arm in group.arms}
    for row in rows:
        x, y = cost_of(row, cost), row.qualities[quality.label]
        arms[row.arm].append({"key": row.key, "parameters": row.parameters, "inert": "inert" in row.flags, "x": x._asdict(), "y": y._asdict()})
    arms = {arm: points for arm, points in arms.items() if points}
    points = [p for mine in arms.values() for p in mine]
    front = [] if cost == "sample_entropy" else _front(points, quality.better)
    held = group.held_out(quality.label)
    entropy = group.held_out(cost) if cost == "sample_entropy" else None
    return {"label": quality.label, "cost": cost, "better": quality.better, "n": group.n, "arms": arms, "front": front,
            "held_out": held and held._asdict(), "held_out_x": entropy and entropy._asdict()}


def _front(points: list[dict], better: str) -> list[str]:
    """Keys of the points on the Pareto front, cheapest first."""
    on = pareto([p["x"]["value"] for p in points], [p["y"]["value"] for p in points], better)
    return [p["key"] for p, keep in sorted(zip(points, on), key=lambda pair: pair[0]["x"]["value"]) if keep]


def _xy(points: list[dict]) -> tuple[list[float], list[float]]:
    return [p["x"]["value"] for p in points], [p["y"]["value"] for p in points]


def _bars(points: list[dict], axis: str) -> np.ndarray:
    """Lengths of the bars, (2, K)."""
    sides = [((p["value"] - p["low"], p["high"] - p["value"]) if p["low"] is not None else (0, 0)) for p in (point[axis] for point in points)]
    return np.array(sides).T.clip(0)


def draw(data: dict, quality: Quality, looks: dict[str, Look]) -> Figure:
    figure, axes = panels(1, 1, SINGLE, 2.1)
    ax, everything = axes[0, 0], {p["key"]: p for mine in data["arms"].values() for p in mine}
    if len(data["front"]) > 1:
        front, = ax.plot(*_xy([everything[k] for k in data["front"]]), color=FRONT, linewidth=4, solid_capstyle="round", zorder=1)
    handles, labels = [], []
    for arm, points in data["arms"].items():
        look, own = looks[arm], [p for p in points if p["key"] in _front(points, data["better"])]
        if data["cost"] != "sample_entropy":
            ax.plot(*_xy(own), color=look.colour, linewidth=0.8, zorder=2)
        bars = ax.errorbar(*_xy(points), xerr=_bars(points, "x"), yerr=_bars(points, "y"), fmt=look.marker, color=look.colour, elinewidth=0.7, zorder=3,
                           markeredgewidth=0.6, markerfacecolor=look.colour)
        hollow = [p for p in points if p["inert"]]
        if hollow:
            ax.plot(*_xy(hollow), look.marker, color=look.colour, markerfacecolor="white", markeredgewidth=0.8, zorder=4)
        handles.append(bars.lines[0])
        labels.append(arm)
    if len(data["front"]) > 1:
        handles.append(front)
        labels.append("Pareto front")
    if data["held_out"]:
        level, (low, high) = data["held_out"]["value"], ax.get_ylim()
        if low - (high - low) * STRETCH <= level <= high + (high - low) * STRETCH:
            handles.append(ax.axhline(level, color=MUTED, linestyle=(0, (4, 2.5)), linewidth=0.9, zorder=1))
            labels.append("held-out")
        else:
            handles.append(Line2D([], [], linestyle="none"))
            labels.append(f"held-out {level:.3g} {'↑' if level > high else '↓'}")
    if data["cost"] == "sample_entropy":
        if data["held_out_x"]:
            ax.axvline(data["held_out_x"]["value"], color=MUTED, linestyle=(0, (4, 2.5)), linewidth=0.9, zorder=1)
    else:
        log_x(ax, [p["x"]["value"] for p in everything.values()])
    ax.set_xlabel(COSTS[data["cost"]])
    ax.set_ylabel(axis_label(quality))
    legend(figure, handles, labels, SINGLE)
    return figure
