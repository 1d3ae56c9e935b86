"""Cost of the baseline over that of each arm at equal quality: settings that were run, and a line between settings as a
guide.
"""

import numpy as np
import pandas as pd
from matplotlib.markers import CARETUPBASE
from matplotlib.transforms import offset_copy

from reports import style
from reports.marks import subject
from reports.text import short
from reports.worded import counts_as_equal, sides

TITLE = "Passes saved at equal quality"
SECTION = "matched"
PLACE = 30
DODGE = 0.014  # of ln(passes), between arms at one setting of the baseline
DASHES = (0, (3, 2))
needs = ("ratio", "passes", "quality", "kind")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where nothing is saved and no line can be
    read.
    """
    frame = frame[frame.cost == "nfe_a"]
    known = frame[frame.ratio.notna()]
    if known.empty:
        return None
    metrics, arms, wide = list(dict.fromkeys(known.metric)), list(dict.fromkeys(known.arm)), inches >= style.DOUBLE
    shape = (1, len(metrics)) if wide else (len(metrics), 1)
    figure, axes = style.panels(*shape, inches, 2.0 if wide else 1.7, sharey=True)
    handles, baseline = {}, short(frame.baseline.iloc[0], 24)
    for ax, metric in zip(axes.ravel(), metrics):
        for arm, points in frame[frame.metric == metric].groupby("arm", sort=False):
            colour, marker, points = points.colour.iloc[0], points.marker.iloc[0], points.sort_values("passes")
            line = points[points.kind == "guide"]
            if line.ratio.notna().any():
                ax.plot(line.passes, line.ratio, color=colour, linewidth=0.6, linestyle=DASHES, marker=".",
                        markersize=1.5, zorder=2)
            marks = points[(points.kind == "realised") & points.ratio.notna()]
            if len(marks):
                x = marks.passes * np.exp(DODGE * (arms.index(arm) - (len(arms) - 1) / 2))
                ax.vlines(x, marks.low, marks.high, color=colour, linewidth=1, zorder=3)
                ax.plot(x, marks.ratio, color=colour, marker=marker, linestyle="none", markeredgecolor=style.PAPER,
                        markeredgewidth=0.4, markersize=4, zorder=4)
                more = marks.at_least.to_numpy(bool)
                # of the mark, which may be as high as its bar
                above = offset_copy(ax.transData, figure, y=2.5, units="points")
                ax.plot(x[more], marks.high[more], color=colour, marker=CARETUPBASE, linestyle="none", markersize=3,
                        zorder=3, transform=above)
                (handles[arm],) = ax.plot([], [], color=colour, marker=marker, linewidth=1, markeredgecolor=style.PAPER,
                                          markeredgewidth=0.4)
        ax.axhline(1, color=style.INK, linewidth=0.8, zorder=1)
        ax.set_title(f"at equal {metric.replace('_', ' ')}")
        style.even(ax.yaxis, 5)
        ax.set_xlabel(f"NFE A of the setting of {baseline}")
        style.log_x(ax, frame.passes)
    for ax in axes[:, 0]:
        ax.set_ylabel(f"NFE A of {baseline}\nover NFE A of the arm")
    style.legend(figure, handles, inches)
    columns = ["kind", "metric", "arm", "setting", "key", "goal", "passes", "quality", "baseline_cost", "arm_cost",
               "ratio", "low", "high", "at_least", "n"]
    return figure, known[columns].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    baseline = short(frame.baseline.iloc[0], 48)
    line = frame[(frame.kind == "guide") & frame.ratio.notna()]
    guide = (
        "Dashed: a guide: read on lines between settings, claimed nowhere; it breaks where these are more than 10 % "
        "apart in cost."
        if len(line)
        else "No line between settings is drawn as a guide: they are more than 10 % apart in cost, or do not reach "
             "the quality."
    )
    return (
        f"{subject(frame)}. Marks: passes of a setting of {baseline} over those of the cheapest setting of the arm "
        "that was run and is not worse; above 1 the arm needs "
        f"fewer. {counts_as_equal(frame)} {sides(frame)} Settings are chosen on half of the sequences and measured on "
        "the other. Bars: from the noise of the passes "
        "(95 %, bootstrap over sequences) up to the cheapest setting that is not shown to be worse. Carets: at "
        "least, the next cheaper setting that was run is more than 10 % "
        f"cheaper. {guide}"
    )
