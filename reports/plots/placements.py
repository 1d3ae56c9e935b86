"""What each placement of a light network may lose by the additive bound, ranked: named ones, and all choices of 2 of 8
segments behind them.
"""

import pandas as pd

from reports import style

TITLE = "Placements ranked by predicted loss"
SECTION = "importance"
PLACE = 61
needs = ("placement", "named", "loss", "beyond_sandwich")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame = frame.sort_values("loss", kind="stable").reset_index(drop=True)
    frame["rank"] = frame.index + 1
    figure, axes = style.panels(1, 1, inches, 2.3)
    ax, handles = axes[0, 0], {}
    for named, colour, marker, label in ((False, style.FRONT, "o", "segments and random draws"),
                                         (True, style.COLOURS[1], "D", "named placements")):
        mine = frame[frame.named == named]
        ax.vlines(mine["rank"], mine.loss_low, mine.loss_high, color=colour, linewidth=0.8)
        (handles[label],) = ax.plot(mine["rank"], mine.loss, linestyle="none", marker=marker, color=colour,
                                    markeredgecolor=style.PAPER, markeredgewidth=0.4)
    for row in frame[frame.named].itertuples():
        ax.annotate(row.placement, (row.rank, row.loss_high), xytext=(0, 3), textcoords="offset points", rotation=90,
                    ha="center", va="bottom", fontsize=style.small())
    ax.set_ylim(0, 1.25 * frame.loss_high.max())
    ax.set_xlabel("rank, least predicted loss first")
    ax.set_ylabel("predicted loss (nats per token)")
    style.legend(figure, handles, inches)
    return figure, frame[["placement", "named", "rank", "loss", "loss_low", "loss_high", "beyond_sandwich",
                          "beyond_low", "beyond_high"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame['subject'].iloc[0]}; n = {frame.n.max():,} sequences; a quarter of the text light everywhere. Upper "
        "bounds of KL(all-heavy || scheduled) a token, "
        "the sum of the KL curve on the sampler's own states over the light parts; 95 % bootstrap intervals over "
        "sequences, which all placements share: "
        "differences are surer than the bars suggest, see numbers.json."
    )
