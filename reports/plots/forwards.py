"""Quality against tokens per forward, by both denominators, and against token-forwards."""

import pandas as pd

from reports import forwards, style
from reports.marks import joined, quality_label, subject

TITLE = "Quality against tokens per forward"
SECTION = "forwards"
PLACE = 47
needs = ("metric", "per", "word", "x", "y")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where nothing is known."""
    if frame.empty:
        return None
    wide = inches >= style.DOUBLE
    metrics = list(dict.fromkeys(frame.metric))[: None if wide else 1]    # a column of six would be too long
    frame = frame[frame.metric.isin(metrics)]
    axes_of = [a for a in forwards.AXES if (frame.per == a.name).any()]
    columns = len(axes_of) if wide else 1
    rows = len(metrics) * len(axes_of) // columns
    figure, axes = style.panels(rows, columns, inches, 1.9 if wide else 1.6, sharex=False)
    handles: style.Handles = {}
    for ax, (metric, axis) in zip(axes.ravel(), [(m, a) for m in metrics for a in axes_of]):
        mine = frame[(frame.metric == metric) & (frame.per == axis.name)]
        joined(ax, mine, "x", handles)
        ax.set_xlabel(axis.word)
        style.log_x(ax, mine[["x", "x_low", "x_high"]].to_numpy().ravel())
        style.even(ax.yaxis, 5)
        if not wide or axis is axes_of[0]:
            ax.set_ylabel(quality_label(mine, "\n"))
    style.legend(figure, handles, inches)
    return figure, frame[["metric", "per", "arm", "setting", "key", "n", "x", "x_low", "x_high", "y", "y_low",
                          "y_high"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    told = "; ".join(f"{a.word}: {a.definition}" for a in forwards.AXES if (frame.per == a.name).any())
    return f"{subject(frame)}. {told[0].upper()}{told[1:]}. Bars: 95 % bootstrap intervals over sequences."
