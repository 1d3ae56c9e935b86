"""Nats a token under the sampler's own law against its passes, for networks trained further by one objective or
another.
"""

import pandas as pd

from reports import style

TITLE = "Trained on the exact likelihood"
SECTION = "acceptance"
PLACE = 59
needs = ("objective", "seed", "rounds", "nats", "nats_low", "nats_high", "passes", "passes_low", "passes_high")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame = frame[~frame.objective.str.contains(" against ")]
    objectives, counts, handles = list(dict.fromkeys(frame.objective)), sorted(set(frame.rounds)), {}
    looks, wide = style.looks(objectives, None), inches >= style.DOUBLE
    figure, axes = style.panels(*((1, len(counts)) if wide else (len(counts), 1)), inches, 2.1 if wide else 1.7)
    for ax, rounds in zip(axes.ravel(), counts):
        for objective in objectives:
            mine, look = frame[(frame.rounds == rounds) & (frame.objective == objective)], looks[objective]
            bars = [(mine[q] - mine[f"{q}_low"], mine[f"{q}_high"] - mine[q]) for q in ("passes", "nats")]
            handles[objective] = ax.errorbar(mine.passes, mine.nats, bars[1], bars[0], color=look.colour,
                                             marker=look.marker, markersize=4.0, linestyle="none", linewidth=0.9)
        ax.set_title(f"{rounds} verify round{'s' if rounds > 1 else ''}", loc="left")
        ax.set_xlabel("passes (NFE A)")
    for ax in axes[:, 0]:
        ax.set_ylabel("nats per token")
    style.legend(figure, handles, inches)
    return figure, frame[list(needs)].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame.subject.iloc[0]}; n = {frame.n.iloc[0]} held-out rows under the exact law of the sampler, and as "
        "many that it writes. One mark is one training: "
        "`start` is where all begin, `loss` has been trained further by the usual loss, `bound` by the likelihood of "
        "the sampler with one verify round. Lower and "
        "further left is better. Bars: 95 % bootstrap intervals over rows, which the trainings share."
    )
