"""Validation loss of networks trained under several laws of how much is masked, one mark a seed."""

import pandas as pd

from reports import style

TITLE = "Loss by the law of training"
SECTION = "tradeoff"
PLACE = 27
needs = ("law", "seed", "tokens", "nats")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    laws, seeds = list(dict.fromkeys(frame.law)), sorted(set(frame.seed))
    figure, axes = style.panels(1, 1, inches, 0.45 + 0.25 * len(laws))
    ax, handles = axes[0, 0], {}
    for k, seed in enumerate(seeds):
        mine = frame[frame.seed == seed]
        look = {"color": style.COLOURS[1 + k % 8], "marker": style.MARKERS[k % len(style.MARKERS)],
                "markeredgecolor": style.PAPER, "markeredgewidth": 0.4}
        (handles[f"seed {seed}"],) = ax.plot(mine.nats, [laws.index(law) for law in mine.law], linestyle="none", **look)
    for place, law in enumerate(laws):
        ax.plot([frame.nats[frame.law == law].mean()] * 2, [place - 0.3, place + 0.3], color=style.INK, linewidth=1.1)
    ax.set_yticks(range(len(laws)), laws)
    ax.set_ylim(len(laws) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    style.even(ax.xaxis, 5 if inches >= style.DOUBLE else 3)
    ax.set_xlabel("validation bound (nats per token)")
    style.legend(figure, handles, inches)
    return figure, frame[["law", "seed", "tokens", "nats"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame['subject'].iloc[0]}; the smallest network of the family from scratch, "
        f"{frame.tokens.iloc[0] / 1e6:.1f} M tokens each. Every mark is one training, judged by one "
        "bound on the same masked rows; upright strokes: means over seeds. Trainings of one seed are paired."
    )
