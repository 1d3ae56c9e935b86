"""Which settings set a sweep's best trials apart: PED-ANOVA (arXiv 2304.10255) by Optuna, for each objective and for
the front.
"""

import numpy as np
import pandas as pd

from reports import style
from reports.marks import subject

TITLE = "Which settings matter"
SECTION = "search"
PLACE = 82
needs = ("sweep", "target", "parameter", "share", "trials")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, one row a sweep, and a list with the numbers of every mark in it."""
    sweeps, wide = list(dict.fromkeys(frame.sweep)), inches >= style.DOUBLE
    most = frame.groupby(["sweep", "target"]).size().max()
    figure, axes = style.panels(len(sweeps), 1, inches, 0.4 + 0.3 * most)
    handles = {}
    for ax, sweep in zip(axes.ravel(), sweeps):
        mine = frame[frame.sweep == sweep]
        targets, order = (
            list(dict.fromkeys(mine.target)),
            list(mine.groupby("parameter").share.max().sort_values(ascending=False).index),
        )
        for k, target in enumerate(targets):
            rows = mine[mine.target == target].set_index("parameter").reindex(order)
            place = np.arange(len(order)) + (k - (len(targets) - 1) / 2) * 0.22
            colour, marker = (
                (style.INK, "D")
                if target == "front"
                else (style.COLOURS[1 + k % 6], style.MARKERS[k % len(style.MARKERS)])
            )
            ax.hlines(place, rows.low, rows.high, color=colour, linewidth=0.9)
            name = "reaching the front" if target == "front" else target.replace("nfe_a", "NFE A").replace("_", " ")
            (handles[name],) = ax.plot(rows.share, place, linestyle="none", marker=marker, color=colour,
                                       markeredgecolor=style.PAPER, markeredgewidth=0.4)
        ax.set_yticks(range(len(order)), [style.brief(name, inches) for name in order])
        ax.set_ylim(len(order) - 0.5, -0.5)
        ax.set_xlim(-0.02, 1.02)
        ax.grid(False, axis="y")
        ax.tick_params(axis="y", length=0)
        if len(sweeps) > 1:
            ax.set_title(sweep, loc="left")
    axes[-1, 0].set_xlabel("share of the importance" if wide else "share of importance")
    style.legend(figure, handles, inches)
    return figure, frame[["sweep", "target", "parameter", "share", "low", "high", "trials"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    trials = " and ".join(str(n) for n in sorted(set(frame.trials)))
    return (
        f"{subject(frame)}; {trials} trials. Importance: how unlike the settings of the best quarter of trials are to "
        "those of all, by PED-ANOVA "
        "(arXiv 2304.10255), as shares of their sum; for the front the quarter nearest to it. Bars: 2.5 to 97.5 % of "
        "100 resamples of the trials; trials of a search "
        "depend on one another, so they are a guide and no test."
    )
