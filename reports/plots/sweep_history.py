"""What each trial of a sweep found, in its order, and the best so far; with a cost and a quality, the area of the front
so far.
"""

import pandas as pd
from matplotlib.ticker import MaxNLocator

from reports import busy, style
from reports.marks import quality_label, subject

TITLE = "The search, trial by trial"
SECTION = "search"
PLACE = 80
needs = ("sweep", "trial", "state", "objective", "best")
MARKS = {  # state -> colour, marker, whether filled, words
    "whole": (style.COLOURS[1], "o", True, "all sequences, within the band"),
    "outside": (style.COLOURS[1], "o", False, "outside the band"),
    "early": (style.COLOURS[2], "x", True, "given up after fewer sequences"),
}


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, one row a sweep, and a list with the numbers of every mark in it."""
    sweeps, wide = list(dict.fromkeys(frame.sweep)), inches >= style.DOUBLE
    objectives = [list(dict.fromkeys(frame.objective[frame.sweep == sweep])) for sweep in sweeps]
    across, handles = max(map(len, objectives)), {}
    figure, axes = style.panels(*((len(sweeps), across) if wide else (len(sweeps) * across, 1)), inches, 1.8 if wide
                                else 1.35)
    for row, sweep, names in zip(axes.reshape(len(sweeps), across), sweeps, objectives):
        for ax in row[len(names) :]:
            ax.set_axis_off()
        for ax, name in zip(row, names):
            mine = frame[(frame.sweep == sweep) & (frame.objective == name)]
            for state, (colour, marker, filled, words) in MARKS.items():
                points = mine[(mine.state == state) & mine.value.notna()]
                if len(points):
                    look = {"color": colour, "marker": marker, "markerfacecolor": colour if filled else "none",
                            "markersize": 3, "markeredgewidth": 0.8}
                    (handles[words],) = ax.plot(points.trial, points.value, linestyle="none", **look)
            (handles["best so far"],) = ax.plot(mine.trial, mine.best, color=style.INK, drawstyle="steps-post",
                                                linewidth=0.9, zorder=1)
            ax.set_xlabel("trial")
            ax.set_ylabel("area of the front\n(share of the last)" if name == "front"
                          else quality_label(mine, "\n", "objective"))
            ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=(1, 2, 5, 10)))
            if mine.value.notna().any() and mine.value.min() > 0 and mine.value.max() > 5 * mine.value.min():
                style.log_y(ax, mine.value)
        if len(sweeps) > 1:
            row[0].set_title(sweep, loc="left")
    style.legend(figure, handles, inches)
    return figure, frame[["sweep", "trial", "state", "key", "setting", "objective", "better", "unit", "value",
                          "best"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    states = frame.drop_duplicates(["sweep", "trial"]).state.value_counts()
    told = ", ".join(f"{states[state]} {words}" for state,
                     words in (*((state, look[3]) for state, look in MARKS.items()), ("failed", "failed"))
                     if state in states)
    area = (
        " Area: of the front of the trials so far, in (ln cost, quality), up to the dearest and the worst of all."
        if "front" in set(frame.objective)
        else ""
    )
    timed = frame[frame.objective == "seconds"]
    clock = busy.told(timed.busy, timed.value, timed.value) if len(timed) else ""
    several = f"{frame.sweep.nunique()} sweeps, " if frame.sweep.nunique() > 1 else ""
    return (f"{subject(frame)} with all; {several}{states.sum()} trials: {told}. The best so far counts trials of the "
            f"first kind alone.{area}{clock}")
