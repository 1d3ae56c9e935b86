"""Share of drafts that a verify pass accepts, by depth behind the revealed text and by progress of the sequence."""

import pandas as pd
from matplotlib.colors import to_hex, to_rgb
from matplotlib.ticker import MaxNLocator

from reports import style
from reports.plots.tradeoff import subject

TITLE = "Acceptance of drafts"
SECTION = "acceptance"
PLACE = 50
needs = ("by", "index", "tested", "passed", "share")
FEWEST = 50  # tests behind a point that is drawn
PANELS = {"depth": "depth in the verify pass", "progress": "tenth of the sequence"}


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where no arm verifies drafts."""
    frame = frame[(frame.tested >= FEWEST) & frame.by.isin(PANELS)]
    if frame.empty:
        return None
    arms, wide = list(dict.fromkeys(frame.arm)), inches >= style.DOUBLE
    figure, axes = style.panels(*((len(arms), 2) if wide else (2 * len(arms), 1)), inches, 1.7 if wide else 1.35, sharey=True)
    for pair, arm in zip(axes.reshape(len(arms), 2), arms):
        mine = frame[frame.arm == arm].sort_values("nfe_a", kind="stable")
        keys = list(dict.fromkeys(mine.key))
        for k, key in enumerate(keys):
            colour = shade(mine.colour.iloc[0], 0.62 * k / max(1, len(keys) - 1))
            for ax, by in zip(pair, PANELS):
                points = mine[(mine.key == key) & (mine.by == by)].sort_values("index")
                ax.plot(
                    points["index"],
                    points.share,
                    color=colour,
                    marker=mine.marker.iloc[0] if len(points) <= 16 else None,
                    markersize=2.6,
                    linewidth=0.9,
                    label=mine.setting[mine.key == key].iloc[0] or arm,
                )
        for ax, by in zip(pair, PANELS):
            ax.set_xlabel(PANELS[by])
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        for ax in pair[: 2 if wide else 1]:
            ax.set_title(arm)
        style.log_x(pair[0], mine["index"][mine.by == "depth"])
        for ax in pair[: 1 if wide else 2]:
            ax.set_ylabel("accepted / tested")
        pair[1 if wide else 0].legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0)
    return figure, frame[["arm", "setting", "key", "by", "index", "tested", "passed", "share"]].to_dict("records")


def shade(colour: str, share: float) -> str:
    """The colour, mixed with so much white."""
    return to_hex([c + share * (1 - c) for c in to_rgb(colour)])


def caption(frame: pd.DataFrame) -> str:
    return (
        f"{subject(frame)}; darker: fewer passes. Every mark rests on {FEWEST} tests or more. One sequence gives many tests and the records hold totals "
        "alone, so no interval is drawn."
    )
