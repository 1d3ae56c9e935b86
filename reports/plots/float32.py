"""Entropy of what float32 and float64 draws write against the number of steps: points measured, curves by the closed
form of the race.
"""

import pandas as pd

from reports import style

TITLE = "The float32 trap: entropy against steps"
SECTION = "entropy"
PLACE = 45
needs = ("quantity", "kind", "steps", "tokens", "value")
LOOKS = {"ancestral": ("positions first, float64", style.COLOURS[0], "o"),
         "fused_float32": ("fused race, float32", style.COLOURS[2], "D")}
PANELS = {"entropy": "entropy of a token (nats)", "entropy drawn": "entropy of all tokens drawn (nats)"}


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where no such arm was measured."""
    frame = frame[frame.arm.isin(LOOKS) & frame.quantity.isin(PANELS)]
    if frame.empty:
        return None
    wide = inches >= style.DOUBLE
    figure, axes = style.panels(*((1, 2) if wide else (2, 1)), inches, 2.1 if wide else 1.7)
    handles: style.Handles = {}
    for ax, (quantity, label) in zip(axes.ravel(), PANELS.items()):
        for (arm, (name, colour, marker)), aside in zip(LOOKS.items(), (0.96, 1.04)):
            mine = frame[(frame.arm == arm) & (frame.quantity == quantity)].sort_values("steps")
            exact, points = mine[mine.kind == "closed form"], mine[mine.kind == "measured"]
            (line,) = ax.plot(exact.steps, exact.value, color=colour, zorder=2)
            ax.vlines(points.steps * aside, points.low, points.high, color=colour, linewidth=0.8, zorder=3)
            ax.plot(
                points.steps * aside, points.value, linestyle="none", marker=marker, color=colour,
                markeredgecolor=style.PAPER, markeredgewidth=0.4, zorder=4
            )
            handles |= {f"{name}, closed form": line}
            handles |= {f"{name}, measured": ax.plot([], [], linestyle="none", marker=marker, color=colour)[0]}
        style.log_x(ax, frame.steps)
        ax.set_xlabel("steps")
        ax.set_ylabel(label)
    style.legend(figure, handles, inches)
    return figure, frame[["arm", "quantity", "kind", "steps", "tokens", "value", "low", "high"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame['subject'].iloc[0]}; independent tokens of a known law, n = {frame.tokens.max():,} tokens a point. "
        "Left: the mean of -ln P under the law of the arm's own "
        "draw, which is that law's entropy if the closed form is right; right: entropy of the histogram, which few "
        "tokens keep low in both arms. Bars: 95 % "
        "bootstrap intervals over tokens; points of one number of steps are drawn side by side. The network is "
        "exact: all that is lost is lost by the draw."
    )
