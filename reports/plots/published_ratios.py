"""The ratio of passes at equal quality: published, hollow, and measured with its interval."""

import pandas as pd

from reports import style
from reports.quoted import sentence

TITLE = "Passes saved: published beside measured"
SECTION = "published"
PLACE = 71
needs = ("quantity", "method", "nfe", "value", "marker", "regime", "source")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where no ratio was measured."""
    frame = frame[frame.quantity == "nfe_ratio"].reset_index(drop=True)
    if frame.empty:
        return None
    figure, axes = style.panels(1, 1, inches, 0.5 + 0.29 * len(frame))
    ax = axes[0, 0]
    handles: style.Handles = {}
    for row in frame.itertuples():
        ours = row.marker == "ours"
        colour, shape = (row.colour, row.shape) if ours else (style.MUTED, "o")
        if ours:
            ax.plot([row.low, row.high], [row.Index] * 2, color=colour, linewidth=1)
        (mark,) = ax.plot([row.value], [row.Index], linestyle="none", marker=shape, color=colour, markerfacecolor=colour
                          if ours else "none", markeredgewidth=0.9)
        handles.setdefault(f"ours: {row.arm}" if ours else row.marker, mark)
    ax.axvline(1, color=style.INK, linewidth=0.8, zorder=1)
    names = [f"{row.method} {row.bound and f'({row.bound})'}".rstrip() if row.marker == "ours"
             else f"{row.method} ({row.marker})" for row in frame.itertuples()]
    # in two lines, so that arms of like names keep their ends
    lines = [[style.brief(line, inches) for line in name.replace(" at equal ", "\nat equal ", 1).split("\n")]
             for name in names]
    ax.set_yticks(range(len(frame)), ["\n".join(parts) for parts in lines], fontsize=style.small())
    ax.set_ylim(len(frame) - 0.5, -0.5)
    ax.margins(x=0.08)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("NFE of the baseline over NFE of the arm, at equal quality" if inches >= style.DOUBLE
                  else "NFE ratio at equal quality")
    style.legend(figure, handles, inches)
    return figure, frame[["method", "value", "low", "high", "unit", "regime", "marker", "source"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    theirs = frame[(frame.quantity == "nfe_ratio") & (frame.marker != "ours")]
    said = "; ".join(sentence(row) for row in theirs.to_dict("records"))
    ours = ("Filled: measured in this run, of settings that were run; bars: from the noise of the passes (95 %) up to "
            "the cheapest setting not shown to be worse.")
    return (f"Hollow: published, not measured here: {said}. {ours} The published counting rule is not known; ours is "
            "NFE A.")
