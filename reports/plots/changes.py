"""Networks that differ from one base in one thing each: quality at equal settings and passes at equal quality, both
against the base.
"""

import pandas as pd

from reports import style

TITLE = "One change at a time"
SECTION = "tradeoff"
PLACE = 28
needs = ("network", "base", "nats", "nats_low", "nats_high", "ratio", "ratio_low", "ratio_high")
PANELS = (("nats", 0.0, "nats per token beyond the base"), ("ratio", 1.0, "passes over those of the base"))
YARDSTICK = "seed"  # the network that differs in its seed alone


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame = frame.sort_values("nats")
    wide, places = inches >= style.DOUBLE, range(len(frame))
    figure, axes = style.panels(*((1, 2) if wide else (2, 1)), inches, 0.5 + 0.14 * len(frame),
                                **({"sharey": True} if wide else {}))
    for ax, (quantity, level, label) in zip(axes.ravel(), PANELS):
        value, low, high = (frame[name].astype(float) for name in (quantity, f"{quantity}_low", f"{quantity}_high"))
        ax.axvline(level, color=style.MUTED, linewidth=0.8)
        for k in frame.index[frame.network == YARDSTICK]:
            ax.axvspan(low[k], high[k], color=style.GRID, zorder=0)
        ax.errorbar(value, places, xerr=(value - low, high - value), linestyle="none", marker="o",
                    color=style.COLOURS[1], elinewidth=0.9)
        ax.set_yticks(places, [(f"{name} ({base})" if frame.base.nunique() > 1 else name).replace("_", " ") for name,
                               base in zip(frame.network, frame.base)])
        ax.set_ylim(len(frame) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        style.even(ax.xaxis, 5)
        ax.set_xlabel(f"{label} ↓")
    return figure, frame[list(needs)].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    band = (
        " Grey: the interval of the network that differs in its seed alone."
        if (frame.network == YARDSTICK).any()
        else ""
    )
    return (
        f"{frame.subject.iloc[0]}; n = {frame.n.iloc[0]} sequences a point. Each network differs from its base in the "
        "thing that it is named for. Left (above): the judge's nats a "
        "token at one setting of the sampler, paired by row. Right (below): passes at the base's likelihood. Lower "
        f"is better in both.{band} Bars: 95 % bootstrap intervals over "
        "sequences, each of one training; none is drawn where one side does not reach that likelihood."
    )
