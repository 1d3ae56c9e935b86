"""Cost of the baseline over that of each arm at equal quality, along the range that both frontiers reach."""

import pandas as pd

from reports import style
from reports.marks import subject

TITLE = "Passes saved at equal quality"
SECTION = "matched"
PLACE = 30
FEW = 3  # arms, beyond which bands are pale
needs = ("ratio", "passes", "quality", "kind")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where no two frontiers meet."""
    frame = frame[frame.kind == "curve"]
    known = frame[frame.ratio.notna()]
    if known.empty:
        return None
    metrics, wide = list(dict.fromkeys(known.metric)), inches >= style.DOUBLE
    shape = (1, len(metrics)) if wide else (len(metrics), 1)
    figure, axes = style.panels(*shape, inches, 2.0 if wide else 1.7, sharey=True)
    handles, baseline = {}, frame.baseline.iloc[0]
    for ax, metric in zip(axes.ravel(), metrics):
        for arm, points in frame[frame.metric == metric].groupby("arm", sort=False):
            colour, marker, points = points.colour.iloc[0], points.marker.iloc[0], points.sort_values("passes")
            ax.fill_between(points.passes, points.low, points.high, color=colour, alpha=0.18 if known.arm.nunique() <= FEW else 0.07, linewidth=0)
            (line,) = ax.plot(
                points.passes, points.ratio, color=colour, marker=marker, markeredgecolor=style.PAPER, markeredgewidth=0.4, markersize=3.2
            )
            if points.ratio.notna().any():
                handles.setdefault(arm, line)
        ax.axhline(1, color=style.INK, linewidth=0.8)
        ax.set_title(f"at equal {metric.replace('_', ' ')}")
        style.even(ax.yaxis, 5)
        ax.set_xlabel(f"NFE A that {baseline} needs for this quality")
        style.log_x(ax, frame.passes)
    for ax in axes[:, 0]:
        ax.set_ylabel(f"NFE A of {baseline}\nover NFE A of the arm")
    style.legend(figure, handles, inches)
    return figure, known[["metric", "arm", "passes", "quality", "baseline_cost", "arm_cost", "ratio", "low", "high", "n"]].to_dict(
        "records"
    )


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{subject(frame)}. Above 1 the arm needs fewer passes than {frame.baseline.iloc[0]}. Bands: 95 % bootstrap intervals, both frontiers "
        "resampled together over sequences, pointwise. A curve ends where a frontier does not reach the quality."
    )
