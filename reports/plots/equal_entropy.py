"""Every arm at the baseline's passes and entropy: who is left ahead once the likelihood that low entropy buys is taken
off.
"""

import pandas as pd

from reports import style
from reports.marks import subject

TITLE = "Likelihood at equal passes and equal entropy"
SECTION = "entropy"
PLACE = 41
needs = ("arm", "passes", "baseline", "cooler", "value", "low", "high", "entropy")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame, passes = ranked(frame), list(dict.fromkeys(frame.passes))
    arms, wide = list(dict.fromkeys(frame.arm)), inches >= style.DOUBLE
    figure, axes = style.panels(1, len(passes), inches, 0.45 + 0.15 * len(arms), sharey=True)
    for ax, p in zip(axes[0], passes):
        for row in frame[frame.passes == p].itertuples():
            place, colour = (
                arms.index(row.arm),
                style.INK if row.low <= 0 <= row.high else style.COLOURS[1] if row.value < 0 else style.COLOURS[2],
            )
            ax.plot([row.low, row.high], [place, place], color=colour, linewidth=0.9)
            ax.plot([row.value], [place], linestyle="none", marker="D", markersize=3.2, color=colour)
        ax.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
        ax.set_title(f"{p:.1f} passes", loc="left")
        ax.set_xlabel(f"{frame.metric.iloc[0].replace('_', ' ')} against {frame.baseline.iloc[0]} "
                      f"({frame.unit.iloc[0]})" if wide else "beyond baseline\n(nats per token)")
        ax.margins(x=0.05)
        style.even(ax.xaxis, 6 if wide else 3)
        ax.grid(False, axis="y")
        ax.tick_params(axis="y", length=0)
    axes[0, 0].set_yticks(range(len(arms)), [style.brief(arm, inches) for arm in arms], fontsize=style.small())
    axes[0, 0].set_ylim(len(arms) - 0.5, -0.5)
    return figure, frame[["arm", "passes", "n", "metric", "baseline", "cooler", "value", "low", "high",
                          "entropy"]].to_dict("records")


def ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Best at the fewest passes first; arms that are not read there last."""
    first = frame[frame.passes == frame.passes.min()].set_index("arm").value
    return frame.assign(_first=frame.arm.map(first)).sort_values(["passes", "_first", "value"], kind="stable",
                                                                 na_position="last").drop(columns="_first")


def caption(frame: pd.DataFrame) -> str:
    ahead = {p: int((mine.high < 0).sum()) for p, mine in frame.groupby("passes")}
    told = "; ".join(f"{count} of {(frame.passes == p).sum()} arms at {p:.1f} passes" for p, count in ahead.items())
    return (
        f"{subject(frame)}. Each arm at the passes of {frame.baseline.iloc[0]} (NFE A, between its neighbouring "
        "points), less what its difference in the entropy of samples "
        f"is worth by the exchange that {frame.cooler.iloc[0]} offers; left of zero is better. Bars: 95 % bootstrap "
        "intervals over sequences, paired and not adjusted for their "
        f"number; blue and orange: zero is outside. Ahead: {told}. Arms whose points do not enclose these passes are "
        "left out. "
        "The entropy is that of the tokens of a row and sees nothing of their order: phrases that repeat are not "
        "taken off."
    )
