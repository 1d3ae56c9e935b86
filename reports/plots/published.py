"""Published quality against passes, hollow, in panels of its own regime; the measured one of the same name beside
it.
"""

import textwrap

import pandas as pd

from reports import style
from reports.marks import bars, quality_label

TITLE = "Published numbers beside measured ones"
SECTION = "published"
PLACE = 70
needs = ("quantity", "method", "nfe", "value", "marker", "regime", "source")
LEFT_OUT = ("SDTT (distilled)",)  # buys its likelihood with entropy and would squeeze the scale
COLOURS, SHAPES = (style.INK, "#44aa99", "#cc6677", "#999933", "#9a8fd0"), ("o", "D", "^", "s", "v")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where no quantity has published and measured
    points.
    """
    frame = drawn(frame)
    if frame.empty:
        return None
    quantities, wide = list(dict.fromkeys(frame.quantity)), inches >= style.DOUBLE
    figure, axes = style.panels(len(quantities), 2, inches, 1.9 if wide else 1.65)
    methods = list(dict.fromkeys(frame.method[frame.marker != "ours"]))
    handles: style.Handles = {}
    for pair, quantity in zip(axes, quantities):
        mine = frame[frame.quantity == quantity]
        for ax, ours in zip(pair, (False, True)):
            rows = mine[(mine.marker == "ours") == ours]
            if ours:
                _measured(ax, rows, handles)
            else:
                _published(ax, rows, handles, methods)
            style.log_x(ax, rows.nfe, most=5 if wide else 4)
            title = f"ours: {rows.regime.iloc[0]}" if ours else _regimes(rows)
            ax.set_title(title if wide else textwrap.fill(title.replace(" = ", "\xa0=\xa0"), 24),
                         fontsize=style.small(6.5))
            if wide or not ours:
                ax.set_ylabel(quality_label(rows, "\n", "quantity"))
            ax.set_xlabel("NFE A" if ours else "NFE, as published")
            style.even(ax.yaxis, 5)
            ax.margins(y=0.15)
    style.legend(figure, dict(sorted(handles.items(), key=lambda item: item[0].startswith("ours"))), inches)
    return figure, frame[["quantity", "method", "nfe", "value", "low", "high", "unit", "regime", "marker", "source",
                          "key"]].to_dict("records")


def drawn(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame[frame.nfe.notna() & ~frame.method.isin(LEFT_OUT) & frame.better.isin(("lower", "higher"))]
    both = {quantity for quantity, rows in frame.groupby("quantity") if set(rows.marker) > {"ours"}}
    return frame[frame.quantity.isin(both)]


def _regimes(rows: pd.DataFrame) -> str:
    regimes = list(dict.fromkeys(regime.split(", window")[0] for regime in rows.regime))
    return f"{rows.marker.iloc[0]}: {'; '.join(regimes)}"


def _published(ax, rows: pd.DataFrame, handles: dict, methods: list[str]) -> None:
    for method, points in rows.groupby("method", sort=False):
        k = methods.index(method)
        look = {"color": COLOURS[k % len(COLOURS)], "marker": SHAPES[k % len(SHAPES)], "markerfacecolor": "none",
                "markeredgewidth": 0.9}
        (line,) = ax.plot(points.nfe, points.value, linestyle=(0, (3, 2)), linewidth=0.8, **look)
        handles[f"{points.marker.iloc[0]}: {method}"] = line


def _measured(ax, rows: pd.DataFrame, handles: dict) -> None:
    for arm, points in rows.groupby("arm", sort=False):
        points = (
            points.sort_values("nfe")
            .rename(columns={"nfe": "x", "value": "y", "low": "y_low", "high": "y_high"})
            .assign(x_low=float("nan"), x_high=float("nan"))
        )
        look = {"color": points.colour.iloc[0], "marker": points["shape"].iloc[0], "markeredgecolor": style.PAPER,
                "markeredgewidth": 0.4}
        bars(ax, points, points.colour.iloc[0])
        (line,) = ax.plot(points.x, points.y, linewidth=0.9, **look)
        handles[f"ours: {arm}"] = line


def caption(frame: pd.DataFrame) -> str:
    return (
        "Hollow and dashed: published, not measured here; filled: measured in this run, bars 95 % bootstrap "
        "intervals. Data, judge, network sizes and the rule that "
        "counts NFE differ between the panels, so heights are not to be compared across them. Not drawn, in the "
        f"table alone: {', '.join(LEFT_OUT)}."
    )
