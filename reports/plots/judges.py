"""Every operating point under two judges: where they rank alike the points lie along one rising line."""

import pandas as pd

from reports import style
from reports.marks import bars, dots, subject

TITLE = "Two judges of the same points"
SECTION = "judges"
PLACE = 42
needs = ("judge", "other", "x", "y", "x_level")
MOST = 6  # pairs that are drawn


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    pairs = list(dict.fromkeys(zip(frame.judge, frame.other)))[:MOST]
    frame = frame[[pair in pairs for pair in zip(frame.judge, frame.other)]]
    columns = min(len(pairs), 3) if inches >= style.DOUBLE else 1
    figure, axes = style.panels(-(-len(pairs) // columns), columns, inches, 2.1 if columns > 1 else 2.3 if len(pairs)
                                == 1 else 1.1)
    handles: style.Handles = {}
    for ax in axes.ravel()[len(pairs) :]:
        ax.set_axis_off()
    for ax, (judge, other) in zip(axes.ravel(), pairs):
        mine = frame[(frame.judge == judge) & (frame.other == other)]
        for arm, points in mine.groupby("arm", sort=False):
            colour, marker = points.colour.iloc[0], points.marker.iloc[0]
            bars(ax, points, colour)
            dots(ax, points, colour, marker)
            handles.setdefault(arm, ax.plot([], [], linestyle="none", color=colour, marker=marker,
                                            markeredgecolor=style.PAPER, markeredgewidth=0.4)[0])
        ax.set_xlabel(f"{style.brief(judge, inches)} ↓ (nats per token)")
        ax.set_ylabel(f"{style.brief(other, inches)} ↓\n(nats per token)")
        for axis in (ax.xaxis, ax.yaxis):
            style.even(axis, 4)
    style.legend(figure, handles, inches)
    shown = ["judge", "other", "arm", "setting", "key", "n", "x", "x_low", "x_high", "y", "y_low", "y_high",
             "x_level", "y_level"]
    return figure, frame[shown].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    levels = frame.drop_duplicates(["judge", "other"])
    known = {name: level for a, b, x, y in zip(levels.judge, levels.other, levels.x_level, levels.y_level) for name,
             level in ((a, x), (b, y)) if level == level}
    held = f" Held-out data: {', '.join(f'{name} {level:.3g}' for name, level in known.items())}." if known else ""
    more = len(levels) - MOST
    hollow = " Hollow: inert or unproven points." if frame.hollow.any() else ""
    return (f"{subject(frame)}. Bars: 95 % bootstrap intervals over sequences, "
            f"pointwise.{hollow}{held}{f' {more} further pairs stand in the table alone.' if more > 0 else ''}")
