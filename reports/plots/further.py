"""The metrics that are not among the first two, against passes by convention A."""

import pandas as pd

from reports import style
from reports.plots import tradeoff

TITLE = "Further metrics against network passes"
SECTION = "tradeoff"
PLACE = 20
needs = tradeoff.needs


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where there is no further metric."""
    frame = frame[(frame["rank"] >= tradeoff.METRICS) & (frame.cost == "nfe_a")]
    if frame.empty:
        return None
    metrics = list(dict.fromkeys(frame.metric))
    columns = min(len(metrics), 3 if inches >= style.DOUBLE else 1)
    figure, axes = style.panels(-(-len(metrics) // columns), columns, inches, 1.7, sharex=True)
    numbers, handles = [], {}
    for ax, metric in zip(axes.ravel(), metrics):
        mine = frame[frame.metric == metric]
        numbers += tradeoff.panel(ax, mine, handles)
        ax.set_ylabel(f"{metric} {'↑' if mine.better.iloc[0] == 'higher' else '↓'}\n({mine.unit.iloc[0]})")
        ax.set_xlabel("NFE A (blocks)")
        ax.xaxis.set_tick_params(labelbottom=True)
    style.log_x(axes[0, 0], frame[["x", "x_low", "x_high"]].to_numpy().ravel())
    for ax in axes.ravel()[len(metrics):]:
        ax.set_axis_off()
    style.legend(figure, list(handles.values()), list(handles), inches)
    return figure, numbers


def caption(frame: pd.DataFrame) -> str:
    return tradeoff.describe(frame[(frame["rank"] >= tradeoff.METRICS) & (frame.cost == "nfe_a")])
