"""KL and loss gap between the heavy and the light network over the share of text revealed, on held-out text and on the
sampler's own states.
"""

import pandas as pd

from reports import style

TITLE = "Where the light network costs: KL and loss gap"
SECTION = "importance"
PLACE = 60
needs = ("states", "quantity", "alpha", "value")
QUANTITIES = {"kl": "KL(heavy || light)", "gap": "loss gap, light - heavy"}
STATES = ("own states", "held-out text")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    wide = inches >= style.DOUBLE
    figure, axes = style.panels(*((1, 2) if wide else (2, 1)), inches, 2.1 if wide else 1.6, sharey=True)
    handles = {}
    for ax, (quantity, label) in zip(axes.ravel(), QUANTITIES.items()):
        for states, colour, marker in zip(STATES, style.COLOURS[1:], style.MARKERS[1:]):
            mine = frame[(frame.quantity == quantity) & (frame.states == states)].sort_values("alpha")
            ax.fill_between(mine.alpha, mine.low, mine.high, color=colour, alpha=0.18, linewidth=0)
            (handles[states],) = ax.plot(mine.alpha, mine.value, color=colour, marker=marker,
                                         markeredgecolor=style.PAPER, markeredgewidth=0.4)
        ax.set_xlim(0, 1)
        ax.set_xlabel("share of the text revealed")
        ax.set_ylabel(f"{label}\n(nats per masked token)")
        style.even(ax.yaxis, 6)
    axes[0, 0].set_ylim(bottom=min(0, frame.low.min()))
    style.legend(figure, handles, inches)
    return figure, frame[["states", "quantity", "alpha", "value", "low", "high"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame['subject'].iloc[0]}; n = {frame.n.max():,} sequences of each kind. Means over masked tokens as "
        "ratios of sums; bands: 95 % bootstrap intervals "
        "over sequences, pointwise. Own states: what ancestral sampling of the heavy network meets; its tokens stand "
        "for the truth of the loss gap there."
    )
