"""The first metrics, and passes, over the commits under which the same cells were counted or scored again."""

import pandas as pd

from reports import style
from reports.marks import quality_label

TITLE = "History over commits"
SECTION = "history"
PLACE = 90
needs = ("commit", "place", "metric", "networks", "value")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    metrics, wide = list(dict.fromkeys(frame.metric)), inches >= style.DOUBLE
    figure, axes = style.panels(*((1, len(metrics)) if wide else (len(metrics), 1)), inches, 2.0 if wide else 1.5,
                                sharex=True)
    commits = frame.drop_duplicates("place").sort_values("place")
    handles: style.Handles = {}
    for ax, metric in zip(axes.ravel(), metrics):
        mine = frame[frame.metric == metric]
        for arm, points in mine.groupby("arm", sort=False):
            points, colour, marker = points.sort_values("place"), points.colour.iloc[0], points.marker.iloc[0]
            for a, b in zip(points.itertuples(), points.iloc[1:].itertuples()):
                same = a.networks == b.networks
                (line,) = ax.plot([a.place, b.place], [a.value, b.value], color=colour, linewidth=0.9, linestyle="-"
                                  if same else (0, (2, 1.5)), zorder=3)
                handles.setdefault("other networks" if not same else "", line)
            known = points[points.low.notna()]
            ax.vlines(known.place, known.low, known.high, color=colour, linewidth=0.8, zorder=3)
            ax.plot(points.place, points.value, linestyle="none", marker=marker, color=colour,
                    markeredgecolor=style.PAPER, markeredgewidth=0.4, zorder=4)
            (handles[f"{arm} {points.setting.iloc[-1]}".strip()],
             ) = ax.plot([], [], color=colour, marker=marker, markeredgecolor=style.PAPER, markeredgewidth=0.4)
        ax.set_ylabel(quality_label(mine, "\n"))
        ax.set_xlim(-0.4, commits.place.max() + 0.4)
        ax.set_xticks(commits.place, commits.commit, rotation=35, ha="right", rotation_mode="anchor",
                      fontsize=style.small())
    handles = {name: handles[name] for name in sorted(handles, key="other networks".__eq__) if name}
    style.legend(figure, handles, inches)
    return figure, frame[["commit", "place", "metric", "arm", "setting", "key", "networks", "n", "value", "low",
                          "high"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    n = " and ".join(f"{n:,}" for n in sorted(set(frame.n)))
    trained = (
        " Dotted: between the two commits the networks were trained on or replaced."
        if frame.groupby("arm").networks.nunique().max() > 1
        else ""
    )
    return (
        f"{frame['subject'].iloc[0]}; n = {n} sequences a point. Of each arm the settings nearest to 32 passes, under "
        "every commit that counted or scored "
        f"them, in the order of time; +: with changes that were not committed.{trained} Bars: 95 % bootstrap "
        "intervals over sequences, where the rows are still stored."
    )
