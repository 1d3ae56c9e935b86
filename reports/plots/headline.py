"""The one figure that tells the story: the first two metrics against passes by convention A."""

import pandas as pd

from reports import style
from reports.plots import tradeoff

TITLE = "Quality against network passes"
SECTION = "headline"
PLACE = 0
needs = tradeoff.needs


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where nothing can be drawn."""
    frame = frame[(frame["rank"] < tradeoff.METRICS) & (frame.cost == "nfe_a")]
    if frame.empty:
        return None
    metrics = list(dict.fromkeys(frame.metric))
    wide = inches >= style.DOUBLE
    figure, axes = style.panels(*((1, len(metrics)) if wide else (len(metrics), 1)), inches, 2.2 if wide else 1.75, sharex=True)
    numbers, handles = [], {}
    for ax, metric in zip(axes.ravel(), metrics):
        mine = frame[frame.metric == metric]
        numbers += tradeoff.panel(ax, mine, handles)
        ax.set_ylabel(f"{metric} {'↑' if mine.better.iloc[0] == 'higher' else '↓'} ({mine.unit.iloc[0]})")
        style.log_x(ax, frame[["x", "x_low", "x_high"]].to_numpy().ravel())
    for ax in axes[-1]:
        ax.set_xlabel("network passes a sequence (NFE A)")
    style.legend(figure, list(handles.values()), list(handles), inches)
    return figure, numbers


def caption(frame: pd.DataFrame) -> str:
    return tradeoff.describe(frame[(frame["rank"] < tradeoff.METRICS) & (frame.cost == "nfe_a")])
