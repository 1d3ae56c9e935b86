"""What a sequence costs in blocks: needed passes by network and kind as stacked bars, and what the device executed."""

import pandas as pd
from matplotlib.patches import Patch

from reports import style
from reports.marks import subject
from reports.plots.acceptance import shade

TITLE = "Cost by network and pass"
SECTION = "tradeoff"
PLACE = 21
needs = ("part", "passes", "blocks", "executed_a")
MOST = 18  # bars
# after Tol's muted scheme: these are no arms
COLOURS = ("#9a8fd0", "#88ccee", "#44aa99", "#ddcc77", "#cc6677", "#999933")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where nothing was executed."""
    frame = frame[frame.key.isin(_chosen(frame))]
    if frame.empty:
        return None
    bars = frame.drop_duplicates("key").reset_index(drop=True)
    parts = list(dict.fromkeys(frame.part))
    colours = {part: COLOURS[k] if k < len(COLOURS) else shade(COLOURS[k % len(COLOURS)], 0.5) for k,
               part in enumerate(parts)}
    figure, axes = style.panels(1, 1, inches, 0.45 + 0.145 * len(bars))
    ax, place = axes[0, 0], {key: k for k, key in enumerate(bars.key)}
    reach = pd.concat((frame.nfe_a, frame.executed_a)).max()
    left = dict.fromkeys(bars.key, 0.0)
    for part in parts:
        for row in frame[frame.part == part].itertuples():
            ax.barh(place[row.key], row.blocks, 0.66, left=left[row.key], color=colours[part], linewidth=0)
            left[row.key] += row.blocks
    for row in bars.itertuples():
        ax.plot([row.executed_a] * 2, [row.Index - 0.42, row.Index + 0.42], color=style.INK, linewidth=1.1,
                solid_capstyle="butt")
        end = (max(row.executed_a, row.nfe_a), row.Index)
        ax.annotate(f"{row.executed_over_needed:.2f}", end, xytext=(4, 0), textcoords="offset points", va="center",
                    fontsize=style.small(), color=style.MUTED)
    ax.set_yticks(range(len(bars)), [style.brief(f"{row.arm} {row.setting}".strip(), inches)
                                     for row in bars.itertuples()], fontsize=style.small())
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xlim(0, 1.12 * reach)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("NFE A: blocks a sequence, over blocks of the reference" if inches >= style.DOUBLE
                  else "NFE A (blocks)")
    handles = {part: Patch(color=colour) for part, colour in colours.items()}
    handles["executed"] = ax.plot([], [], linestyle="none", marker="|", color=style.INK, markersize=7,
                                  markeredgewidth=1.1)[0]
    style.legend(figure, handles, inches)
    return figure, frame[["arm", "setting", "key", "n", "part", "passes", "blocks", "nfe_a", "executed_a",
                          "executed_over_needed"]].to_dict("records")


def _chosen(frame: pd.DataFrame) -> list[str]:
    """At most MOST cells: of each arm as many, spread over its costs."""
    cells = frame[frame.nfe_a > 0].drop_duplicates("key").sort_values("nfe_a", kind="stable")
    arms = list(dict.fromkeys(frame.arm))
    each = max(1, MOST // max(1, len(arms)))
    found = []
    for arm in arms[:MOST] if len(cells) > MOST else arms:
        mine = list(cells.key[cells.arm == arm])
        if len(cells) > MOST and len(mine) > each:
            mine = [mine[round(k * (len(mine) - 1) / max(1, each - 1))] for k in range(each)]
        found += mine
    return found


def caption(frame: pd.DataFrame) -> str:
    shown, cells = len(_chosen(frame)), frame.key[frame.nfe_a > 0].nunique()
    some = f" {shown} of {cells} cells are drawn; numbers of all stand in the table of points." if shown < cells else ""
    return (
        f"{subject(frame)}. Bars: blocks that a sequence needed; blocks a pass are read off the records, since NFE A "
        "is a weighted sum of the passes. "
        "Upright strokes: blocks executed a sequence, with rows that ride along; small numbers: FLOPs executed over "
        f"FLOPs needed, padding included.{some}"
    )
