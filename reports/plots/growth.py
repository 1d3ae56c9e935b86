"""Seconds of the sampling loop, and of the passes alone that it makes, against length, vocabulary, batch and rows, with
fitted exponents.
"""

import pandas as pd

from reports import style

TITLE = "Growth of seconds"
SECTION = "tradeoff"
PLACE = 24
needs = ("sampler", "axis", "at", "quantity", "value", "exponent")
WORDS = {"length": "tokens of a row, L", "vocabulary": "symbols of the vocabulary, V",
         "batch": "rows, all in one batch", "rows": "rows, in batches of one size"}
LINES = {"seconds": ("loop", "-", True), "seconds of passes": ("its passes alone", ":", False)}


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, one panel an axis, and a list with the numbers of every mark in it."""
    frame = frame[frame.quantity.isin(LINES)]
    names, wide = list(dict.fromkeys(frame["axis"])), inches >= style.DOUBLE
    columns = min(len(names), 2 if wide else 1)
    figure, axes = style.panels(-(-len(names) // columns), columns, inches, 2.1 if wide else 1.7)
    looks, handles = style.looks(list(dict.fromkeys(frame.sampler)), "ancestral"), {}
    for ax in axes.ravel()[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes.ravel(), names):
        part, words = frame[frame["axis"] == name], []
        for (sampler, quantity), mine in part.sort_values("at").groupby(["sampler", "quantity"], sort=False):
            (word, line, filled), look = LINES[quantity], looks[sampler]
            (handles[f"{sampler}: {word}"],) = ax.plot(
                mine["at"], mine.value, color=look.colour, marker=look.marker, linestyle=line, markeredgewidth=0.4
                if filled else 0.8,
                markeredgecolor=style.PAPER if filled else look.colour, markerfacecolor=look.colour if filled
                else style.PAPER)
        for sampler in looks:
            loop, bare = (part[(part.sampler == sampler) & (part.quantity == quantity)] for quantity in LINES)
            if len(loop) and len(bare):
                fit = loop.iloc[0]
                words.append(f"{sampler}: exponent {fit.exponent:.2f} ({fit.low:.2f} to {fit.high:.2f}), passes "
                             f"{bare.exponent.iloc[0]:.2f}")
        ax.set_title("\n".join(words), loc="left")
        style.log_x(ax, part["at"])
        style.log_y(ax, part.value)
        ax.set_xlabel(WORDS.get(name, name))
    for ax in axes[:, 0]:
        ax.set_ylabel("seconds")
    style.legend(figure, {label: handles[label] for label in sorted(handles)}, inches)
    return figure, frame[["sampler", "axis", "at", "quantity", "value", "exponent", "low", "high"]].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    ratios = frame[frame.quantity == "loop over passes"].drop_duplicates(["sampler", "axis"])
    faster = [f"{row.sampler} with {row.axis} ({row.exponent:.2f}, {row.low:.2f} to {row.high:.2f})"
              for row in ratios.itertuples() if row.low > 0]
    said = f"Loop over passes grows for {'; '.join(faster)}." if faster else ("Loop over passes grows along none of "
                                                                              "them beyond its interval.")
    points = len(frame[["sampler", "axis", "at"]].drop_duplicates())
    return (
        f"Random networks of width 64, one thread, n = {points} points, a fresh process each, the shorter of two "
        "runs. Over each panel: slopes of the logarithms over its "
        "points, with Student's 95 % interval of the fit for the loop, and for its passes alone, played once more "
        f"without the sampler. {said} "
        "How busy the machine was is not in these records."
    )
