"""Quality against each cost, small multiples: one row a metric, one column a cost axis; in a single column the other
way round.
"""

import pandas as pd

from reports import style
from reports.busy import told
from reports.marks import describe, panel, quality_label

TITLE = "Quality against cost"
SECTION = "tradeoff"
PLACE = 10
needs = ("metric", "rank", "cost", "x", "y")
METRICS = 2  # drawn here, the first in rank; plots/further.py draws the others


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where nothing can be drawn."""
    frame = frame[frame["rank"] < METRICS]
    if frame.empty:
        return None
    costs, metrics = [cost for cost in style.AXES if (frame.cost == cost).any()], list(dict.fromkeys(frame.metric))
    tall = inches < style.DOUBLE
    if tall:
        figure, axes = style.panels(len(costs), len(metrics), inches, 1.2, sharex="row", sharey="col")
        axes = axes.T
    else:
        figure, axes = style.panels(len(metrics), len(costs), inches, 1.5, sharex="col", sharey="row")
    numbers: list[dict] = []    # axes: (metrics, costs)
    handles: style.Handles = {}
    for m, metric in enumerate(metrics):
        for c, cost in enumerate(costs):
            ax, mine = axes[m, c], frame[(frame.metric == metric) & (frame.cost == cost)]
            if mine.empty:
                ax.set_axis_off()
                continue
            numbers += panel(ax, mine, handles)
            if tall and c == 0:
                ax.set_title(quality_label(mine, "\n"))
            elif not tall and c == 0:
                ax.set_ylabel(quality_label(mine, "\n"))
            if tall or m == len(metrics) - 1:
                ax.set_xlabel(style.AXES[cost])
    for c, cost in enumerate(costs):
        style.log_x(axes[0, c], frame.loc[frame.cost == cost, ["x", "x_low", "x_high"]].to_numpy().ravel(), most=4)
    style.legend(figure, handles, inches)
    return figure, numbers


def caption(frame: pd.DataFrame) -> str:
    about = frame[frame["rank"] < METRICS]
    timed = about[about.cost == "seconds"]
    if timed.empty:
        return describe(about)
    low, high = timed.n_time.min(), timed.n_time.max()
    many = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return (
        f"{describe(about)} Seconds: mean over {many} fresh process{'es' if high > 1 else ''} of the median, batch of "
        f"{timed.timed_rows.iloc[0]:g} "
        f"sequences{'; bars over processes' if high > 1 else ', without interval'}.{_clock(timed)}"
    )


def _clock(timed: pd.DataFrame) -> str:
    cells = timed.drop_duplicates("key")
    return told(cells.busy, cells.x_low, cells.x_high, drawn=True)
