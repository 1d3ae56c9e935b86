"""Acceptance predicted from draft and target beside acceptance counted: by depth, progress and verify round; and tokens
revealed a draft pass.
"""

import pandas as pd
from matplotlib.ticker import MaxNLocator

from reports import style

TITLE = "Acceptance, predicted and counted"
SECTION = "acceptance"
PLACE = 51
needs = ("key", "states", "by", "index", "predicted", "counted")
PANELS = {"depth": "depth in the verify pass", "progress": "tenth of the sequence", "round": "verify round",
          "revealed": "tokens a draft pass"}


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, one row a setting, and a list with the numbers of every mark in it; None where nothing was
    predicted.
    """
    frame = frame[frame.by.isin(PANELS)]
    if frame.empty:
        return None
    keys, wide = list(dict.fromkeys(frame.sort_values("nfe_a", ascending=False,
                                                      kind="stable").key)), inches >= style.DOUBLE
    figure, axes = style.panels(*((len(keys), 4) if wide else (2 * len(keys), 2)), inches, 1.35, sharex=False)
    handles: style.Handles = {}
    for row, key in zip(axes.reshape(len(keys), 4), keys):
        for ax, (by, label) in zip(row, PANELS.items()):
            mine = frame[(frame.key == key) & (frame.by == by)].sort_values("index")
            handles |= _panel(ax, mine)
            ax.set_xlabel(label)
            ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
            ax.set_xlim(mine["index"].min() - 0.5, mine["index"].max() + 0.5)
            style.even(ax.yaxis, 4)
            if by == "revealed":
                ax.set_ylim(bottom=0)
                ax.set_ylabel("share of passes")
        row[0].set_ylabel("accepted / tested")
        row[0].set_title(style.brief(" ".join(str(frame[frame.key == key][c].iloc[0])
                                              for c in ("arm", "setting")).strip(), inches), loc="left")
    _share_y(axes.reshape(len(keys), 4)[:, :3].ravel())
    style.legend(figure, handles, inches)
    columns = ["arm", "setting", "key", "states", "by", "index", "tests"]
    columns += [f"{what}{end}" for what in ("predicted", "counted", "difference") for end in ("", "_low", "_high")]
    return figure, frame[columns].to_dict("records")


def _panel(ax, mine: pd.DataFrame) -> dict:
    """Counted with intervals as markers, predicted as lines; states of held-out text as a dashed line, predicted
    alone.
    """
    own, text, colour, handles = (
        mine[mine.states == "own"],
        mine[mine.states == "text"],
        mine.colour.iloc[0] if len(mine) else style.INK,
        {},
    )
    if len(text) and own.by.iloc[0] in ("depth", "progress"):
        (handles["predicted on held-out text"],) = ax.plot(text["index"], text.predicted, color=style.MUTED,
                                                           linewidth=0.9, linestyle=(0, (4, 2)), zorder=2)
    ax.vlines(own["index"], own.counted_low, own.counted_high, color=colour, linewidth=0.8, zorder=3)
    (handles["counted"],) = ax.plot(
        own["index"], own.counted, linestyle="none", marker="o", markersize=2.6, color=colour,
        markeredgecolor=style.PAPER, markeredgewidth=0.3, zorder=4
    )
    # between numbers of tokens there is nothing
    bars = {"linestyle": "none", "marker": "_", "markersize": 6} if set(own.by) == {"revealed"} else {}
    (line,) = ax.plot(own["index"], own.predicted, color=style.COLOURS[2], linewidth=1.0, zorder=5, **bars)
    return handles | ({} if bars else {"predicted at the same states": line})


def _share_y(axes) -> None:
    low, high = min(ax.get_ylim()[0] for ax in axes), max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(max(0, low), min(1, high))


def caption(frame: pd.DataFrame) -> str:
    own = frame[(frame.states == "own") & (frame.by != "all")]
    outside = int(((own.difference_low > 0) | (own.difference_high < 0)).sum())
    return (
        f"{frame['subject'].iloc[0]}, n = {frame.n.max():,} sequences a setting. Predicted: 1 - TV of draft and "
        "target along the prefixes that are accepted, and the "
        "chances of each number of tokens that follow from it. Bars: 95 % bootstrap intervals over blocks of "
        "sequences. Counted minus predicted leaves zero "
        f"out of its interval in {outside} of {len(own)} bins; one in twenty is expected."
    )
