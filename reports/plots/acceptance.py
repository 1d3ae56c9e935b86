"""Share of drafts that a verify pass accepts, by depth behind the revealed text, and by progress of the sequence with
the window's width.
"""

import pandas as pd
from matplotlib.colors import to_hex, to_rgb
from matplotlib.ticker import MaxNLocator

from reports import style
from reports.marks import subject

TITLE = "Acceptance of drafts"
SECTION = "acceptance"
PLACE = 50
needs = ("by", "index", "tested", "passed", "share", "window")
FEWEST = 200  # tests behind a point that is drawn
MOST = 6  # settings of an arm that are drawn, spread over their passes
PANELS = {"depth": "depth in the verify pass", "progress": "tenth of the sequence"}


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where no arm verifies drafts."""
    frame = drawn(frame)
    if frame.empty:
        return None
    arms, wide = list(dict.fromkeys(frame.arm)), inches >= style.DOUBLE
    figure, axes = style.panels(*((len(arms), 2) if wide else (2 * len(arms), 1)), inches, 2.0 if wide else 1.7)
    handles: style.Handles = {}
    for pair, arm in zip(axes.reshape(len(arms), 2), arms):
        mine, name = frame[frame.arm == arm].sort_values("nfe_a", kind="stable"), f"{arm} " if len(arms) > 1 else ""
        keys, widths = list(dict.fromkeys(mine.key)), pair[1].twinx() if mine.window.notna().any() else None
        for k, key in enumerate(keys):
            colour = shade(mine.colour.iloc[0], 0.62 * k / max(1, len(keys) - 1))
            for ax, by in zip(pair, PANELS):
                points = mine[(mine.key == key) & (mine.by == by)].sort_values("index")
                # by depth: 1, 2, 4, 8 ...
                marked = [k for k, index in enumerate(points["index"]) if by == "progress" or index & (index - 1) == 0]
                (line,) = ax.plot(points["index"], points.share, color=colour, marker=mine.marker.iloc[0],
                                  markersize=2.6, linewidth=0.9, markevery=marked)
                if by == "progress" and widths and points.window.notna().any():
                    (dotted,) = widths.plot(points["index"], points.window, color=colour, linewidth=0.9,
                                            linestyle=(0, (1, 1.2)))
                    handles.setdefault("width of the window", dotted)
            handles[f"{name}{mine.setting[mine.key == key].iloc[0]}".strip() or arm] = line
        for ax, by in zip(pair, PANELS):
            ax.set_xlabel(PANELS[by])
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            ax.set_ylabel("accepted / tested")
            style.even(ax.yaxis, 5)
        if widths:
            _overlay(pair[1], widths)
        if len(arms) > 1:
            pair[0].set_title(style.brief(arm, inches), loc="left")
        style.log_x(pair[0], mine["index"][mine.by == "depth"])
    handles |= {name: handles.pop(name) for name in ("width of the window",) if name in handles}
    style.legend(figure, handles, inches)
    return figure, frame[["arm", "setting", "key", "by", "index", "tested", "passed", "share",
                          "window"]].to_dict("records")


def drawn(frame: pd.DataFrame) -> pd.DataFrame:
    """Marks with enough tests, of at most MOST settings an arm."""
    frame = frame[(frame.tested >= FEWEST) & frame.by.isin(PANELS)]
    keys = []
    for _, mine in frame.sort_values("nfe_a", kind="stable").groupby("arm", sort=False):
        found = list(dict.fromkeys(mine.key))
        keys += [found[round(k * (len(found) - 1) / (MOST - 1))] for k in range(MOST)] if len(found) > MOST else found
    return frame[frame.key.isin(keys)]


def _overlay(ax, widths) -> None:
    """The window in the lower third of the panel and acceptance above it, so that no line of the one crosses one of the
    other.
    """
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.6 * (high - low), high)
    ax.set_yticks([tick for tick in MaxNLocator(5, steps=(1, 2, 2.5, 5, 10)).tick_values(low, high)
                   if low <= tick <= high])
    widths.set_yscale("log")
    values = [value for line in widths.lines for value in line.get_ydata()]
    style.log_y(widths, values, most=2)
    bottom, top = widths.get_ylim()
    widths.set_ylim(bottom, bottom * (top / bottom) ** 3)
    widths.set_ylabel("window (tokens)", loc="bottom")
    widths.spines["right"].set_visible(True)
    widths.grid(False)


def shade(colour: str, share: float) -> str:
    """The colour, mixed with so much white."""
    red, green, blue = (c + share * (1 - c) for c in to_rgb(colour))
    return to_hex((red, green, blue))


def caption(frame: pd.DataFrame) -> str:
    some = "" if drawn(frame).key.nunique() == frame.key.nunique() else f" At most {MOST} settings of an arm are drawn."
    dotted = (
        " Dotted, right axis: mean width of the window in each tenth, by its formula."
        if frame.window.notna().any()
        else ""
    )
    return (
        f"{subject(frame)}; darker: fewer passes.{dotted} Every mark rests on {FEWEST} tests or more. One sequence "
        "gives many tests and the records hold totals "
        f"alone, so no interval is drawn.{some}"
    )
