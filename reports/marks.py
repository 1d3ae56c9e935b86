"""What plots share: a panel of quality against a cost, points with their intervals, the held-out level, the label of a
metric, the words of a caption.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports import style
from reports.text import plain, short

CROWD = 100  # points of an arm in a panel beyond which their intervals stand in the tables alone
FAR = 1.0  # ranges of the values, beyond which the held-out level is written and not drawn
ON_PAPER = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.8}  # behind words, where lines pass


def quality_label(mine: pd.DataFrame, gap: str = " ", column: str = "metric") -> str:
    """Name, direction and unit of the metric or cost that the column names; no direction where it should match the
    data's.
    """
    name, arrow = short(plain(mine[column].iloc[0]), 40), style.ARROWS.get(mine.better.iloc[0])
    name = name.upper() if name in ("nfe_a", "nfe_b", "nfe_c") else name
    return f"{name.replace('_', ' ')}{f' {arrow}' if arrow else ''}{gap}({mine.unit.iloc[0]})"


def panel(ax: Axes, mine: pd.DataFrame, handles: dict) -> list[dict]:
    """One metric against one cost: points with intervals, the running best of each arm, the front of all arms, the
    held-out level.
    """
    sign = 1 if mine.better.iloc[0] == "higher" else -1
    front = mine[mine.on_front].sort_values("x")
    (line,) = ax.plot(front.x, front.y, color=style.FRONT, linewidth=3, solid_capstyle="round", drawstyle="steps-post",
                      zorder=1)
    for arm, points in mine.groupby("arm", sort=False):
        points = points.sort_values("x")
        colour, marker = points.colour.iloc[0], points.marker.iloc[0]
        best = points[~points.collapsed]
        best = best[(sign * best.y).cummax() == sign * best.y]
        ax.plot(best.x, best.y, color=colour, linewidth=0.9, zorder=3)
        bars(ax, points, colour)
        dots(ax, points, colour, marker)
        if arm not in handles:
            (handles[arm],) = ax.plot([], [], color=colour, marker=marker, markeredgecolor=style.PAPER,
                                      markeredgewidth=0.4)
    handles.setdefault("Pareto front of all", line)
    if mine.level.notna().any():
        level, low, high = mine.level.iloc[0], *reach(mine)
        if abs(level - np.clip(level, low, high)) <= FAR * (high - low):
            dashed = ax.axhline(level, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=2)
            handles.setdefault("held-out data", dashed)
        else:
            beyond(ax, level, low, high)
    columns = [
        "metric",
        "cost",
        "arm",
        "setting",
        "key",
        "n",
        "x",
        "x_low",
        "x_high",
        "y",
        "y_low",
        "y_high",
        "on_front",
        "hollow",
        "collapsed",
        "level",
    ]
    return mine[columns].to_dict("records")


def joined(ax: Axes, mine: pd.DataFrame, by: str, handles: dict) -> None:
    """The points of each arm with their intervals, joined by a line in the order of the column `by`."""
    for arm, points in mine.groupby("arm", sort=False):
        points, colour, marker = points.sort_values(by), points.colour.iloc[0], points.marker.iloc[0]
        bars(ax, points, colour)
        ax.plot(points.x, points.y, color=colour, linewidth=0.8, zorder=3)
        dots(ax, points, colour, marker)
        handles.setdefault(arm, ax.plot([], [], color=colour, marker=marker, markeredgecolor=style.PAPER,
                                        markeredgewidth=0.4)[0])


def beyond(ax: Axes, level: float, low: float, high: float) -> None:
    """The held-out level written at the edge that it lies beyond, with room for the words."""
    pad = high - low or abs(high) or 1
    ax.set_ylim(low - (0.05 if level > high else 0.2) * pad, high + (0.2 if level > high else 0.05) * pad)
    edge = (0.97, "top", "↑") if level > high else (0.03, "bottom", "↓")
    ax.text(0.03, edge[0], f"held-out data {level:.3g} {edge[2]}", transform=ax.transAxes, va=edge[1],
            fontsize=style.small(), color=style.MUTED, zorder=6, bbox=ON_PAPER)


def reach(mine: pd.DataFrame, axis: str = "y") -> tuple[float, float]:
    """From the lowest to the highest end of the values and their intervals."""
    ends = mine[[axis, f"{axis}_low", f"{axis}_high"]].to_numpy()
    return np.nanmin(ends), np.nanmax(ends)


def dots(ax: Axes, points: pd.DataFrame, colour: str, marker: str) -> None:
    """Markers: filled with a rim of paper, or hollow; small and pale in a crowd."""
    crowd: dict[str, Any] = {"markersize": 1.6, "alpha": 0.5} if len(points) > CROWD else {}
    for hollow, some in points.groupby("hollow"):
        ax.plot(
            some.x,
            some.y,
            linestyle="none",
            marker=marker,
            color=colour,
            zorder=4,
            markerfacecolor=style.PAPER if hollow else colour,
            markeredgecolor=colour if hollow else style.PAPER,
            markeredgewidth=0.0 if crowd else 0.8 if hollow else 0.4,
            **crowd,
        )


def bars(ax: Axes, points: pd.DataFrame, colour: str) -> None:
    """Intervals of both axes, where there are any and they can be told apart."""
    if len(points) > CROWD:
        return
    for low, high, other, line in (("y_low", "y_high", "x", ax.vlines), ("x_low", "x_high", "y", ax.hlines)):
        known = points[points[low].notna()]
        if len(known):
            line(known[other], known[low], known[high], color=colour, linewidth=0.8, zorder=3)


def describe(about: pd.DataFrame) -> str:
    unsure = about.hollow & (about.cost != "seconds")    # of times the caption of the clock says why
    hollow = " Hollow: points that are inert, unproven or collapsed, see the remarks." if unsure.any() else ""
    hollow += " Collapsed samples are on no front and no line." if about.collapsed.any() else ""
    hollow += (
        f" Of an arm with more than {CROWD} points the intervals stand in the tables alone."
        if about.groupby(["metric", "cost", "arm"]).size().max() > CROWD
        else ""
    )
    dashed = (
        "; dashed, or written with an arrow where it lies far outside: held-out data"
        if about.level.notna().any()
        else ""
    )
    return (
        f"{subject(about)}. Bars: 95 % bootstrap intervals over sequences, pointwise. Lines: running best of an arm; "
        "grey: Pareto front of all "
        f"arms{dashed}.{hollow}"
    )


def subject(about: pd.DataFrame) -> str:
    return f"{about['subject'].iloc[0]}; n = {' and '.join(f'{n:,}' for n in sorted(set(about.n)))} sequences a point"
