"""The share of what ancestral sampling loses that verification gives back, against how good the network is."""

import pandas as pd
from matplotlib.axes import Axes

from reports import style

TITLE = "Does verification pay more on a better network?"
SECTION = "acceptance"
PLACE = 57
needs = ("network", "competence", "competence_low", "competence_high", "recovered", "recovered_low", "recovered_high",
         "gain", "gain_low", "gain_high")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame = frame.sort_values("competence")
    wide = inches >= style.DOUBLE
    figure, axes = style.panels(*((1, 2) if wide else (2, 1)), inches, 2.1 if wide else 1.7)
    for ax, quantity, name in zip(axes.ravel(), ("recovered", "gain"),
                                  ("share of the loss given back", "gain, share of rows")):
        marks(ax, frame, quantity, level=0.0)
        ax.set_ylabel(name)
    return figure, frame[list(needs)].to_dict("records")


def marks(ax: Axes, frame: pd.DataFrame, quantity: str, level: float) -> None:
    """One mark a network: a quantity over its competence, with the intervals of both, and a line where it is none."""
    bars = [(frame[q] - frame[f"{q}_low"], frame[f"{q}_high"] - frame[q]) for q in ("competence", quantity)]
    ax.errorbar(frame.competence, frame[quantity], bars[1], bars[0], color=style.COLOURS[1], marker="o",
                markersize=4.0, linestyle="none", linewidth=0.9)
    ax.axhline(level, color=style.MUTED, linewidth=0.8)
    for row in frame.dropna(subset=[quantity]).itertuples():
        ax.annotate(row.network, (row.competence, getattr(row, f"{quantity}_high")), (0, 3), ha="center",
                    textcoords="offset points")
    ax.set_xlabel("share of valid rows, one token a pass")
    ax.set_xlim(left=0)


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame.subject.iloc[0]}; n = {frame.n.iloc[0]} rows a setting. One mark is one network, or the last one at a "
        "lower temperature T. Self-speculative sampling is held against ancestral sampling in no fewer passes. Left: "
        "of the validity that ancestral sampling loses against one token a pass, the share that verification gives "
        "back. Right: the share of rows that it makes valid. Bars: 95 % bootstrap intervals over rows."
    )
