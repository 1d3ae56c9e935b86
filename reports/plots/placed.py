"""Placements of a light network ranked by what they lose under the judge against the heavy network throughout; the
predicted loss beside it.
"""

import textwrap

import pandas as pd

from reports import style
from reports.marks import subject
from reports.text import short

TITLE = "Placements ranked by measured loss"
SECTION = "importance"
PLACE = 62
needs = ("placement", "host", "label", "role", "x", "predicted", "p_holm")


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame = ranked(frame)
    names = [_lines(row, most(inches)) for row in frame.itertuples()]
    lines = max(name.count("\n") + 1 for name in names)
    predicted, wide = frame.predicted.notna().any(), inches >= style.DOUBLE
    figure, axes = style.panels(1, 1 + predicted, inches, 0.4 + (0.06 + 0.09 * lines) * len(frame), sharey=True)
    for ax, kind in zip(axes[0], ("x", "predicted")):
        for row in frame[frame[kind].notna()].itertuples():
            place, control = row.Index, row.role == "control"
            colour = style.MUTED if control else style.COLOURS[1] if kind == "x" else style.COLOURS[2]
            if kind == "x":
                ax.plot([row.x_low, row.x_high], [place, place], color=colour, linewidth=0.9)
            face = style.PAPER if control else colour
            ax.plot([getattr(row, kind)], [place], linestyle="none", marker="s" if control else "D", markersize=3.4,
                    color=colour, markerfacecolor=face, markeredgewidth=0.8)
        if kind == "x":
            ax.axvline(0, color=style.INK, linewidth=0.8, zorder=1)
        ax.margins(x=0.1)
        style.even(ax.xaxis, 6 if wide else 2)
        ax.grid(False, axis="y")
        ax.tick_params(axis="y", length=0)
    axes[0, 0].set_yticks(range(len(frame)), names, fontsize=style.small())
    axes[0, 0].set_ylim(len(frame) - 0.5, -0.5)
    metric, unit = frame.metric.iloc[0].replace("_", " "), frame.unit.iloc[0]
    axes[0, 0].set_xlabel(f"{metric} beyond the host, heavy throughout\n({unit})" if wide
                          else f"{metric} beyond\nthe host")
    if predicted:
        axes[0, 1].set_xlim(left=0)
        axes[0, 1].set_xlabel("predicted loss, upper bound\n(nats per token)" if wide
                              else "predicted bound\n(nats per token)")
    return figure, frame[["label", "placement", "host", "role", "arm", "key", "n", "metric", "x", "x_low", "x_high",
                          "p_holm", "saved", "predicted"]].to_dict("records")


def most(inches: float) -> int:
    """Letters that a line of a label has room for."""
    return 44 if inches >= style.DOUBLE else 26


def _lines(row, letters: int) -> str:
    """The label; where one line is too short its host begins another, and is whole: it tells rows apart."""
    if len(row.label) <= letters:
        return row.label
    return "\n".join([short(row.label.removesuffix(f" − {row.host}"), letters),
                      *textwrap.wrap(f"− {short(row.host, 3 * letters)}", letters)])


def ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Best first; controls in their place."""
    return frame.sort_values("x", ascending=frame.better.iloc[0] == "lower", kind="stable").reset_index(drop=True)


def caption(frame: pd.DataFrame) -> str:
    placed = frame[frame.role == "placement"]
    apart = int((placed.p_holm <= 0.05).sum())
    bound = (
        " Right: nats a token that the placement may lose by the additive bound."
        if frame.predicted.notna().any()
        else ""
    )
    if frame.predicted.notna().sum() > 2 and frame.host.nunique() == 1:
        bound += (f" Rank correlation of the two: {placed.x.corr(placed.predicted, method='spearman'):.2f} over "
                  f"{placed.predicted.notna().sum()} placements.")
    return (
        f"{subject(frame)}. Each row is a difference in {frame.unit.iloc[0]} to the sampler named behind the minus "
        "sign, its own host with the heavy network throughout, paired by "
        "sequence; bars: 95 % bootstrap intervals, pointwise. Hollow squares: controls without placement. Of "
        f"{len(placed)} placements {apart} differ from their host at 5 % after "
        f"Holm's adjustment.{bound}"
    )
