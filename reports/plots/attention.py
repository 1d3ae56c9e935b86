"""Attention of a causal block by groups of tracks and depth in the verify pass, beside the share of tracks that a group
holds.
"""

import pandas as pd

from reports import style

TITLE = "Where the causal block looks"
SECTION = "acceptance"
PLACE = 58
needs = ("group", "depth", "quantity", "value", "low", "high")
PANELS = {"all tracks": ("BOS", "revealed", "drafted"),
          "tracks of the neighbours": ("beside, revealed", "beside, drafted")}


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame = frame[(frame.depth > 0) & frame.quantity.isin(("attention", "tracks"))].sort_values("depth")
    wide, handles, looks = inches >= style.DOUBLE, {}, style.looks([group for groups in PANELS.values()
                                                                    for group in groups], None)
    figure, axes = style.panels(*((1, 2) if wide else (2, 1)), inches, 2.1 if wide else 1.7)
    for ax, (title, groups) in zip(axes.ravel(), PANELS.items()):
        for group in groups:
            look = looks[group]
            mine = frame[(frame.group == group) & (frame.quantity == "attention")]
            even = frame[(frame.group == group) & (frame.quantity == "tracks")]
            bars = (mine.value - mine.low, mine.high - mine.value)
            handles[group] = ax.errorbar(mine.depth, mine.value, bars, color=look.colour, marker=look.marker,
                                         markersize=3.0, linewidth=1.0)
            ax.plot(even.depth, even.value, color=look.colour, linewidth=0.9, linestyle=(0, (1, 1.2)))
        ax.set_title(title, loc="left")
        style.log_x(ax, frame.depth)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("depth in the verify pass")
    for ax in axes[:, 0]:
        ax.set_ylabel("share of attention")
    style.legend(figure, handles, inches)
    return figure, frame[list(needs)].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame.subject.iloc[0]}; n = {frame.n.iloc[0]} held-out rows, each at eight stages. Mean over heads of the "
        "first causal block. Dotted: the share of the tracks "
        "seen that a group holds, where a block that looks everywhere alike would lie. Right: one track that carries "
        "a neighbour of the place to be predicted, in rows that "
        "have one. Bars: 95 % bootstrap intervals over rows."
    )
