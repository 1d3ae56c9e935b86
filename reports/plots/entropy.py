"""Likelihood under a judge against the entropy of the samples: a low likelihood bought with low entropy is no win."""

import pandas as pd
from matplotlib.ticker import MaxNLocator

from reports import style
from reports.plots.tradeoff import bars

TITLE = "Likelihood beside entropy"
SECTION = "entropy"
PLACE = 0
needs = ("metric", "entropy", "x", "y", "x_level")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where there is no such pair."""
    if frame.empty:
        return None
    metrics, entropies = list(dict.fromkeys(frame.metric))[:2], list(dict.fromkeys(frame.entropy))[:2]
    pairs = [(m, e) for m in metrics for e in entropies]
    frame = frame[frame.metric.isin(metrics)]
    wide = inches >= style.DOUBLE
    shape = (len(metrics), len(entropies)) if wide else (len(pairs), 1)
    figure, axes = style.panels(*shape, inches, 2.0 if wide else 1.6)
    handles = {}
    for ax, (metric, entropy) in zip(axes.ravel(), pairs):
        mine = frame[(frame.metric == metric) & (frame.entropy == entropy)]
        for arm, points in mine.groupby("arm", sort=False):
            points, colour, marker = points.sort_values("nfe_a"), points.colour.iloc[0], points.marker.iloc[0]
            bars(ax, points, colour)
            line, = ax.plot(points.x, points.y, color=colour, marker=marker, linewidth=0.8, markeredgecolor=style.PAPER, markeredgewidth=0.4)
            handles.setdefault(arm, line)
        for value, rule in ((mine.x_level.iloc[0], ax.axvline), (mine.y_level.iloc[0], ax.axhline)):
            if pd.notna(value):
                handles["held-out data"] = rule(value, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        ax.set_xlabel(f"{entropy.replace('_', ' ')} (nats)")
        ax.set_ylabel(f"{metric} ↓ (nats per token)")
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.yaxis.set_major_locator(MaxNLocator(5))
    if "held-out data" in handles:
        handles["held-out data"] = handles.pop("held-out data")
    style.legend(figure, list(handles.values()), list(handles), inches)
    return figure, frame[["metric", "entropy", "arm", "setting", "key", "n", "x", "x_low", "x_high", "y", "y_low", "y_high", "x_level", "y_level"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    n = " and ".join(f"{n:,}" for n in sorted(set(frame.n)))
    return (f"{frame['subject'].iloc[0]}; n = {n} sequences a point; lines join an arm's points in the order of their passes. Bars: 95 % bootstrap intervals over sequences; "
            "corpus entropy is a value of the whole set and has none. The two entropies are not comparable with one another. Best is where the dashed lines cross.")
