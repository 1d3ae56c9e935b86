"""The front that a sweep found, the points it is made of, those outside the band, and the arms that were put beside the
search.
"""

import pandas as pd

from reports import style
from reports.busy import told
from reports.marks import bars, dots, quality_label, subject

TITLE = "What the search found"
SECTION = "search"
PLACE = 81
needs = ("sweep", "state", "x_metric", "y_metric", "on_front")
FOUND = style.COLOURS[1]


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, one panel a sweep, and a list with the numbers of every mark in it."""
    sweeps, wide = list(dict.fromkeys(frame.sweep)), inches >= style.DOUBLE
    figure, axes = style.panels(*((1, len(sweeps)) if wide else (len(sweeps), 1)), inches, 2.4 if wide else 1.9)
    handles = {}
    for ax, sweep in zip(axes.ravel(), sweeps):
        mine = frame[frame.sweep == sweep]
        tried, outside = mine[(mine.state == "whole") & ~mine.on_front], mine[mine.state == "outside"]
        for words, points, face in (("outside the band", outside, "none"), ("tried", tried, style.FRONT)):
            if len(points):
                look = {"marker": "o", "markersize": 3, "markerfacecolor": face, "markeredgecolor": style.MUTED,
                        "markeredgewidth": 0.5, "zorder": 2}
                (handles[words],) = ax.plot(points.x, points.y, linestyle="none", **look)
        for arm, points in mine[mine.state == "beside"].groupby("arm", sort=False):
            points = points.sort_values("x")
            colour, marker = _look(points)
            ax.plot(points.x, points.y, color=colour, linewidth=0.8, linestyle=(0, (3, 2)), zorder=3)
            bars(ax, points, colour)
            dots(ax, points.assign(hollow=False), colour, marker)
            (handles[arm],) = ax.plot([], [], color=colour, marker=marker, linestyle=(0, (3, 2)), linewidth=0.8)
        best = mine[mine.on_front].sort_values("x")
        ax.plot(best.x, best.y, color=FOUND, linewidth=1.1, zorder=4)
        bars(ax, best, FOUND)
        dots(ax, best.assign(hollow=False), FOUND, "s")
        handles[f"front of {sweep}" if len(sweeps) > 1
                else "front of the search"] = ax.plot([], [], color=FOUND, marker="s")[0]
        style.log_x(ax, mine[["x", "x_low", "x_high"]].to_numpy().ravel())
        ax.set_xlabel(style.AXES.get(mine.x_metric.iloc[0], mine.x_metric.iloc[0]))
        ax.set_ylabel(quality_label(mine, " " if wide else "\n", "y_metric"))
    style.legend(figure, handles, inches)
    columns = ["sweep", "arm", "setting", "key", "n", "state", "on_front", "x_metric", "x", "x_low", "x_high",
               "y_metric", "y", "y_low", "y_high"]
    return figure, frame[columns].to_dict("records")


def _look(points: pd.DataFrame) -> tuple[str, str]:
    colour, marker = points.colour.iloc[0], points.marker.iloc[0]
    return (style.COLOURS[2], "D") if colour == FOUND else (colour, marker)


def caption(frame: pd.DataFrame) -> str:
    whole, timed = frame[frame.state == "whole"], frame[frame.x_metric == "seconds"]
    clock = told(timed.busy, timed.x_low, timed.x_high) if len(timed) else ""
    return (
        f"{subject(frame)}. Of {len(whole)} points within the band {int(whole.on_front.sum())} are beaten by no "
        "other. Bars: 95 % bootstrap intervals over sequences, "
        f"pointwise; the front was chosen on the rows that it is drawn from, so it flatters itself a little.{clock}"
    )
