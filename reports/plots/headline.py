"""The one figure that tells the story: the first two metrics against passes by convention A."""

import pandas as pd

from reports import style
from reports.marks import describe, panel, quality_label
from reports.plots import tradeoff

TITLE = "Quality against network passes"
SECTION = "headline"
PLACE = 0
needs = tradeoff.needs


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where nothing can be drawn."""
    return small_multiples(_mine(frame), inches, columns=2)


def small_multiples(frame: pd.DataFrame, inches: float, columns: int):
    """One panel a metric, passes along x."""
    if frame.empty:
        return None
    metrics, wide = list(dict.fromkeys(frame.metric)), inches >= style.DOUBLE
    columns = min(columns, len(metrics)) if wide else 1
    figure, axes = style.panels(-(-len(metrics) // columns), columns, inches, 2.0 if wide else 1.7)
    numbers: list[dict] = []
    handles: style.Handles = {}
    for ax, metric in zip(axes.ravel(), metrics):
        mine = frame[frame.metric == metric]
        numbers += panel(ax, mine, handles)
        ax.set_ylabel(quality_label(mine, " " if wide and columns < 3 else "\n"))
        ax.set_xlabel("network passes a sequence (NFE A)")
        style.log_x(ax, frame[["x", "x_low", "x_high"]].to_numpy().ravel())
    for ax in axes.ravel()[len(metrics) :]:
        ax.set_axis_off()
    style.legend(figure, handles, inches)
    return figure, numbers


def _mine(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["rank"] < tradeoff.METRICS) & (frame.cost == "nfe_a")]


def caption(frame: pd.DataFrame) -> str:
    return describe(_mine(frame))
