"""Seconds of every timed process, and the time ratio to a cell of the baseline against the ratio of passes, paired by
process.
"""

import numpy as np
import pandas as pd

from reports import style
from reports.busy import disturbed, told
from reports.marks import subject

TITLE = "Seconds by process, and time against passes"
SECTION = "tradeoff"
PLACE = 22
needs = ("process", "seconds", "time_ratio", "nfe_ratio", "reference")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    wide = inches >= style.DOUBLE
    figure, axes = style.panels(*((1, 2) if wide else (2, 1)), inches, 2.2 if wide else 1.9)
    processes, ratios = axes.ravel()
    handles = {}
    for arm, mine in frame.groupby("arm", sort=False):
        look = {"color": mine.colour.iloc[0], "marker": mine.marker.iloc[0]}
        for busy, some in mine.groupby(disturbed(mine.busy)):
            processes.plot(some.nfe_a, some.seconds, linestyle="none", alpha=0.75, markersize=2.8,
                           **look | ({"markerfacecolor": style.PAPER, "markeredgewidth": 0.6} if busy
                                     else {"markeredgewidth": 0}))
        cells = mine.sort_values("busy", ascending=False).drop_duplicates("key").sort_values("nfe_ratio")
        known = cells[cells["time_ratio.low"].notna()]
        ratios.vlines(known.nfe_ratio, known["time_ratio.low"], known["time_ratio.high"], color=look["color"],
                      linewidth=0.8, zorder=3)
        for busy, some in cells.groupby(disturbed(cells.busy)):
            rim = {"markerfacecolor": style.PAPER, "markeredgewidth": 0.8} if busy else {
                "markeredgecolor": style.PAPER, "markeredgewidth": 0.4}
            ratios.plot(some.nfe_ratio, some.time_ratio, linestyle="none", zorder=4, **look | rim)
        handles[arm] = ratios.plot([], [], linestyle="none", markeredgecolor=style.PAPER, markeredgewidth=0.4,
                                   **look)[0]
    style.log_x(processes, frame.nfe_a)
    style.log_y(processes, frame.seconds)
    processes.set_xlabel("network passes a sequence (NFE A)")
    processes.set_ylabel("seconds a sequence, by process")
    style.log_x(ratios, frame.nfe_ratio)
    style.log_y(ratios, frame[["time_ratio", "time_ratio.low", "time_ratio.high"]].to_numpy().ravel())
    low, high = (f(frame.nfe_ratio.min() if f is min else frame.nfe_ratio.max(), 1) for f in (min, max))
    (handles["time follows passes"],) = ratios.plot([low, high], [low, high], color=style.MUTED, linewidth=0.8,
                                                    linestyle=(0, (4, 2)), zorder=1)
    reference = style.brief(frame.reference.iloc[0], inches)
    ratios.set_xlabel(f"NFE A over that of {reference}" if wide else f"NFE A over {reference}")
    ratios.set_ylabel("seconds, over the same")
    style.legend(figure, handles, inches)
    columns = ["arm", "setting", "key", "process", "seconds", "nfe_a", "reference", "nfe_ratio", "time_ratio",
               "time_ratio.low", "time_ratio.high", "pairs"]
    return figure, frame[columns].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    pairs, cells = frame.pairs.max(), frame.drop_duplicates("key")
    bars = (
        "Bars: 95 % intervals over pairs of processes."
        if np.isfinite(frame["time_ratio.low"]).any()
        else "Too few processes for intervals."
    )
    return (
        f"{subject(frame)}, times of {frame.timed_rows.iloc[0]:g} sequences in one batch. Every mark on the left is "
        "one fresh process. Ratios: geometric mean over "
        f"{pairs:g} pair{'s' if pairs > 1 else ''} of processes that ran in the same block, both axes over "
        f"{frame.reference.iloc[0]}. {bars} Above the dashed line "
        "a pass takes longer than the "
        f"reference's.{told(cells.busy, cells['time_ratio.low'], cells['time_ratio.high'], drawn=True)}"
    )
