"""Likelihood under a judge against the entropy of the samples: a low likelihood bought with low entropy is no win."""

import numpy as np
import pandas as pd

from reports import style
from reports.marks import FAR, beyond, joined, reach, subject

TITLE = "Likelihood beside entropy"
SECTION = "entropy"
PLACE = 40
needs = ("metric", "entropy", "x", "y", "x_level")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where there is no such pair."""
    metrics, entropies = list(dict.fromkeys(frame.metric))[:2], list(dict.fromkeys(frame.entropy))[:2]
    frame = frame[frame.metric.isin(metrics) & frame.entropy.isin(entropies)]
    if frame.empty:
        return None
    pairs, wide = [(m, e) for m in metrics for e in entropies], inches >= style.DOUBLE
    figure, axes = style.panels(len(metrics), len(entropies), inches, 1.9 if wide else 1.5, sharex="col", sharey="row")
    handles: style.Handles = {}
    for ax, (metric, entropy) in zip(axes.ravel(), pairs):
        mine = frame[(frame.metric == metric) & (frame.entropy == entropy)]
        joined(ax, mine, "nfe_a", handles)
        for axis, rule in (("x", ax.axvline), ("y", ax.axhline)):
            level, low, high = mine[f"{axis}_level"].iloc[0], *reach(mine, axis)
            if pd.isna(level):
                continue
            if axis == "y" and abs(level - np.clip(level, low, high)) > FAR * (high - low):
                beyond(ax, level, low, high)
            else:
                handles.setdefault("held-out data", rule(level, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)),
                                                         zorder=1))
        if metric == metrics[-1]:
            unit = mine.entropy_unit.iloc[0]
            ax.set_xlabel(f"{entropy.replace('_', ' ')}{' ' if wide or unit == 'nats' else chr(10)}({unit})")
        if entropy == entropies[0]:
            ax.set_ylabel(f"{metric.replace('_', ' ')} ↓{' ' if wide else chr(10)}(nats per token)")
        style.even(ax.xaxis, 5 if wide else 2)
        style.even(ax.yaxis, 5)
    handles |= {"held-out data": handles.pop("held-out data")} if "held-out data" in handles else {}
    style.legend(figure, handles, inches)
    columns = ["metric", "entropy", "arm", "setting", "key", "n", "x", "x_low", "x_high", "y", "y_low", "y_high",
               "x_level", "y_level"]
    return figure, frame[columns].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{subject(frame)}; lines join an arm's points in the order of their passes. Bars: 95 % bootstrap intervals "
        "over sequences; an entropy of the "
        "whole set has none. Entropies are not comparable with one another. A perfect sampler has the entropy, the "
        "distinct n-grams and the likelihood of held-out data: "
        "dashed, or written with an arrow where it lies far outside."
    )
