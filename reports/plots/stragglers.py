"""What a device with a fixed batch executes over what its rows need, by batch size, with and without refilling the
batch.
"""

import pandas as pd

from reports import style

TITLE = "What stragglers cost"
SECTION = "tradeoff"
PLACE = 23
needs = ("key", "batch", "queue", "needed", "ratio")
WORDS = {False: ("a batch waits for its slowest row", style.COLOURS[2], "D"),
         True: ("a queue refills the batch", style.COLOURS[1], "s")}
UNDER = {"linewidth": 2.6, "markersize": 6.5}  # of the line that the other may cover


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, one panel a setting, and a list with the numbers of every mark in it."""
    keys, wide = list(dict.fromkeys(frame.key)), inches >= style.DOUBLE
    figure, axes = style.panels(*((1, len(keys)) if wide else (len(keys), 1)), inches, 2.0 if wide else 1.6,
                                sharey=True)
    handles = {}
    for ax, key in zip(axes.ravel(), keys):
        for queue, (words, colour, marker) in WORDS.items():
            mine = frame[(frame.key == key) & (frame.queue == queue)].sort_values("batch")
            ax.vlines(mine.batch, mine.low, mine.high, color=colour, linewidth=0.8)
            (handles[words],) = ax.plot(mine.batch, mine.ratio, color=colour, marker=marker,
                                        markeredgecolor=style.PAPER, markeredgewidth=0.4,
                                        **({} if queue else UNDER))
        ax.axhline(1, color=style.INK, linewidth=0.8, zorder=1)
        style.log_x(ax, frame.batch)
        ax.set_xlabel("places in the batch")
        style.even(ax.yaxis)
        if len(keys) > 1:
            ax.set_title(style.brief(_name(frame[frame.key == key]), inches))
    for ax in axes[:, 0]:
        ax.set_ylabel("NFE A executed\nover NFE A needed")
    style.legend(figure, handles, inches)
    return figure, frame[["key", "arm", "setting", "batch", "queue", "needed", "ratio", "low",
                          "high"]].to_dict("records")


def _name(frame: pd.DataFrame) -> str:
    return f"{frame.arm.iloc[0]} {frame.setting.iloc[0]}".strip()


def caption(frame: pd.DataFrame) -> str:
    names = "; ".join(_name(mine) for _, mine in frame.groupby("key", sort=False))
    return (
        f"{frame['subject'].iloc[0]}; {names}; n = {frame.n.max():,} sequences, whose passes were watched one by one. "
        "Bars: 95 % bootstrap intervals over sequences and "
        "their order. The harness's own loop shrinks its batch instead, and executes what is needed."
    )
