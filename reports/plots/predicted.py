"""Loss of every placement as the additive bound predicts it, against the loss that was measured: do they rank alike?"""

import pandas as pd

from reports import style

TITLE = "Predicted and measured loss of placements"
SECTION = "importance"
PLACE = 63
needs = ("states", "placement", "loss", "measured")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, one panel for each kind of states that the prediction rests on, and a list with the numbers of every
    mark in it.
    """
    kinds, wide = list(dict.fromkeys(frame.states)), inches >= style.DOUBLE
    figure, axes = style.panels(*((1, len(kinds)) if wide else (len(kinds), 1)), inches, 2.2 if wide else 1.7,
                                sharey=True)
    for ax, states in zip(axes.ravel(), kinds):
        mine = frame[frame.states == states]
        ax.hlines(mine.measured, mine.loss_low, mine.loss_high, color=style.COLOURS[1], linewidth=0.6, alpha=0.5)
        ax.vlines(mine.loss, mine.measured_low, mine.measured_high, color=style.COLOURS[1], linewidth=0.6, alpha=0.5)
        ax.plot(mine.loss, mine.measured, linestyle="none", marker="D", color=style.COLOURS[1],
                markeredgecolor=style.PAPER, markeredgewidth=0.4)
        ax.set_title(f"predicted on {states}: rank correlation {mine.loss.corr(mine.measured, method='spearman'):.2f}")
        ax.set_xlabel("predicted loss, upper bound (nats per token)" if wide else "predicted bound (nats per token)")
        style.even(ax.xaxis)
        style.even(ax.yaxis)
    for ax in axes[:, 0]:
        ax.set_ylabel("measured loss\n(nats per token)")
    return figure, frame[["states", "placement", "loss", "loss_low", "loss_high", "measured", "measured_low",
                          "measured_high"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{frame['subject'].iloc[0]}; n = {frame.n.max():,} sequences. Each mark is one of "
        f"{frame.placement.nunique()} placements; the loss is under the judge, beyond that of the "
        "heavy network throughout. Bars: 95 % bootstrap intervals over sequences, which all placements share."
    )
