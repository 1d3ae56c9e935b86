"""How many times fewer passes verification takes at equal quality, against how good the network is."""

import pandas as pd

from reports import style
from reports.plots.competence import marks

TITLE = "Does verification save more passes on a better network?"
SECTION = "acceptance"
PLACE = 58
needs = ("network", "competence", "competence_low", "competence_high", "ratio", "ratio_low", "ratio_high")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame = frame.sort_values("competence")
    figure, axes = style.panels(1, 1, inches, 2.3 if inches >= style.DOUBLE else 1.9)
    ax = axes.ravel()[0]
    marks(ax, frame, "ratio", level=1.0)
    ax.set_ylabel("times fewer passes (NFE A)")
    ax.set_ylim(bottom=0)
    ax.margins(y=0.15)
    return figure, frame[list(needs)].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame.subject.iloc[0]}; n = {frame.n.iloc[0]} rows a setting. One mark is one network. Passes of one token "
        "a pass over those of the cheapest self-speculative setting that was run and is not worse in validity. Bars: "
        "95 % intervals; that of a ratio reaches to settings that were not shown to be worse."
    )
