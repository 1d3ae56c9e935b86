"""Share of drafts that a verify pass accepts, by depth behind the revealed text, and by progress of the sequence with the window's width."""

import pandas as pd
from matplotlib.colors import to_hex, to_rgb
from matplotlib.ticker import MaxNLocator

from reports import style
from reports.plots.tradeoff import subject

TITLE = "Acceptance of drafts"
SECTION = "acceptance"
PLACE = 50
needs = ("by", "index", "tested", "passed", "share", "window")
FEWEST = 50  # tests behind a point that is drawn
MOST = 8  # settings of an arm that are drawn, spread over their passes
PANELS = {"depth": "depth in the verify pass", "progress": "tenth of the sequence"}


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where no arm verifies drafts."""
    frame = drawn(frame)
    if frame.empty:
        return None
    arms, wide = list(dict.fromkeys(frame.arm)), inches >= style.DOUBLE
    figure, axes = style.panels(*((len(arms), 2) if wide else (2 * len(arms), 1)), inches, 1.8 if wide else 1.5, sharey=True)
    handles = {}
    for pair, arm in zip(axes.reshape(len(arms), 2), arms):
        mine, name = frame[frame.arm == arm].sort_values("nfe_a", kind="stable"), f"{arm} " if len(arms) > 1 else ""
        keys, widths = list(dict.fromkeys(mine.key)), pair[1].twinx() if mine.window.notna().any() else None
        for k, key in enumerate(keys):
            colour = shade(mine.colour.iloc[0], 0.62 * k / max(1, len(keys) - 1))
            for ax, by in zip(pair, PANELS):
                points = mine[(mine.key == key) & (mine.by == by)].sort_values("index")
                look = {"color": colour, "marker": mine.marker.iloc[0] if by == "progress" or len(points) <= 16 else None, "markersize": 2.6, "linewidth": 0.9}
                (line,) = ax.plot(points["index"], points.share, **look)
                if by == "progress" and widths and points.window.notna().any():
                    (dotted,) = widths.plot(points["index"], points.window, color=colour, linewidth=0.9, linestyle=(0, (1, 1.2)))
                    handles.setdefault("width of the window", dotted)
            handles[f"{name}{mine.setting[mine.key == key].iloc[0]}".strip() or arm] = line
        if widths:
            _right(widths)
        for ax, by in zip(pair, PANELS):
            ax.set_xlabel(PANELS[by])
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if len(arms) > 1:
            pair[0].set_title(arm)
        style.log_x(pair[0], mine["index"][mine.by == "depth"])
        for ax in pair[: 1 if wide else 2]:
            ax.set_ylabel("accepted / tested")
    handles |= {name: handles.pop(name) for name in ("width of the window",) if name in handles}
    style.legend(figure, handles, inches)
    return figure, frame[["arm", "setting", "key", "by", "index", "tested", "passed", "share", "window"]].to_dict("records")


def drawn(frame: pd.DataFrame) -> pd.DataFrame:
    """Marks with enough tests, of at most MOST settings an arm."""
    frame = frame[(frame.tested >= FEWEST) & frame.by.isin(PANELS)]
    keys = []
    for _, mine in frame.sort_values("nfe_a", kind="stable").groupby("arm", sort=False):
        found = list(dict.fromkeys(mine.key))
        keys += [found[round(k * (len(found) - 1) / (MOST - 1))] for k in range(MOST)] if len(found) > MOST else found
    return frame[frame.key.isin(keys)]


def _right(ax) -> None:
    ax.set_yscale("log")
    style.log_y(ax, [value for line in ax.lines for value in line.get_ydata()])
    ax.set_ylabel("window (tokens)")
    ax.spines["right"].set_visible(True)
    ax.grid(False)


def shade(colour: str, share: float) -> str:
    """The colour, mixed with so much white."""
    return to_hex([c + share * (1 - c) for c in to_rgb(colour)])


def caption(frame: pd.DataFrame) -> str:
    some = "" if drawn(frame).key.nunique() == frame.key.nunique() else f" At most {MOST} settings of an arm are drawn."
    dotted = " Dotted, right axis: mean width of the window in each tenth, by its formula." if frame.window.notna().any() else ""
    return (
        f"{subject(frame)}; darker: fewer passes.{dotted} Every mark rests on {FEWEST} tests or more. One sequence gives many tests and the records hold totals "
        f"alone, so no interval is drawn.{some}"
    )
