"""Quality and passes over a grid of two settings, such as window step and rounds, or schedule and steps."""

import pandas as pd
import seaborn as sns
from matplotlib.colors import LinearSegmentedColormap

from reports import style
from reports.digits import digits
from reports.marks import quality_label, subject

TITLE = "Quality and passes over a grid of two settings"
SECTION = "tradeoff"
PLACE = 25
needs = ("x_place", "y_place", "x_name", "y_name", "metric", "value")
SHADES = LinearSegmentedColormap.from_list("shades", ["#f2f7fb", "#8fbfe0", "#0072b2", "#0a2f4f"])
DARK, LIGHT = "#000000", "#fffffe"  # text on a shade, in a light page and in a dark one
GRIDS = 3  # drawn
MOST = 14  # cells along a side that carry their number
NARROW = 4  # cells across, up to which two panels share a single column
LETTER = 0.055  # inches of a tick label


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, one row a grid, and a list with the numbers of every mark in it."""
    grids, metrics, wide = (
        list(dict.fromkeys(frame.grid))[:GRIDS],
        list(dict.fromkeys(frame.metric)),
        inches >= style.DOUBLE,
    )
    across, up = (frame.groupby("grid")[f"{name}_place"].max().loc[grids].max() + 1 for name in "xy")
    columns = len(metrics) if wide else 2 if across <= NARROW else 1
    figure, axes = style.panels(-(-len(grids) * len(metrics) // columns), columns, inches,
                                min(3.2, 0.75 + (0.26 if wide else 0.19) * up))
    for ax, (grid, metric) in zip(axes.ravel(), ((grid, metric) for grid in grids for metric in metrics)):
        mine = frame[(frame.grid == grid) & (frame.metric == metric)]
        if mine.empty:
            ax.set_axis_off()
            continue
        across, up = mine.x_place.max() + 1, mine.y_place.max() + 1  # of this grid
        table = mine.pivot(index="y_place", columns="x_place",
                           values="value").reindex(index=range(up), columns=range(across))
        shades = SHADES if mine.better.iloc[0] == "higher" else SHADES.reversed()
        places = min(digits(row.value, row.low, row.high) for row in mine.itertuples())
        numbers = {"annot": bool(max(across, up) <= MOST), "fmt": f".{places}f",
                   "annot_kws": {"fontsize": style.small()}}
        sns.heatmap(table, ax=ax, cmap=shades, cbar=False, linewidths=0.8, linecolor=style.PAPER, xticklabels=False,
                    yticklabels=False, **numbers)
        ax.invert_yaxis()
        for text in ax.texts:
            text.set_color(LIGHT if text.get_color() == "w" else DARK)
        for axis, name in ((ax.xaxis, "x"), (ax.yaxis, "y")):
            ticks = mine.drop_duplicates(f"{name}_place").sort_values(f"{name}_place")
            ticks = ticks[:: -(-len(ticks) // (MOST if wide or name == "y" else MOST // columns))]
            axis.set_ticks(ticks[f"{name}_place"] + 0.5, ticks[name])
            axis.set_label_text(mine[f"{name}_name"].iloc[0])
        if max(map(len, mine.x)) * min(across, MOST) * LETTER > 0.7 * inches / columns:
            ax.tick_params(axis="x", rotation=30)
        ax.grid(False)
        ax.tick_params(length=0)
        gap = " " if wide or columns == 1 else "\n"
        title = quality_label(mine, gap)
        ax.set_title(f"{style.brief(grid, inches)}:{gap}{title}" if len(grids) > 1
                     and (metric == metrics[0] or not wide) else title)
    for ax in axes.ravel()[len(grids) * len(metrics) :]:
        ax.set_axis_off()
    return figure, frame[frame.grid.isin(grids)][["grid", "metric", "key", "x_name", "x", "y_name", "y", "n", "value",
                                                  "low", "high"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    grids = list(dict.fromkeys(frame.grid))
    some = f" Of {len(grids)} grids the first {GRIDS} are drawn." if len(grids) > GRIDS else ""
    return (f"{subject(frame)}; {'; '.join(grids[:GRIDS])}.{some} Darker is better in every panel; shades span the "
            "values of the panel. Intervals stand in the table of all points.")
