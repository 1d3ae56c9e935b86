"""What a study wrote with a network of another kind, beside the samplers of its arms: quality against passes, one panel
a metric.
"""

import pandas as pd

from reports import style
from reports.marks import quality_label

TITLE = "Beside a network of another kind"
SECTION = "tradeoff"
PLACE = 26
needs = ("sampler", "setting", "metric", "better", "unit", "passes", "passes_low", "passes_high", "value", "low",
         "high")
FLAT = ("held_out", "shuffled")  # controls, which take no passes


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it."""
    frame = frame[~frame.sampler.str.contains(" minus ")]
    metrics, wide = list(dict.fromkeys(frame.metric)), inches >= style.DOUBLE
    figure, axes = style.panels(*((1, len(metrics)) if wide else (len(metrics), 1)), inches, 2.1 if wide else 1.6)
    looks, handles = style.looks([name for name in dict.fromkeys(frame.sampler) if name not in FLAT], "ancestral"), {}
    for ax, metric in zip(axes.ravel(), metrics):
        part = frame[frame.metric == metric]
        for name, look in looks.items():
            mine = part[part.sampler == name].sort_values("passes")
            bars = [(mine[q] - mine[low], mine[high] - mine[q]) for q, low,
                    high in (("passes", "passes_low", "passes_high"), ("value", "low", "high"))]
            handles[name] = ax.errorbar(mine.passes, mine.value, bars[1], bars[0], color=look.colour,
                                        marker=look.marker, elinewidth=0.8, linewidth=0.9)
        for level in part[part.sampler == "held_out"].value:
            handles["held-out data"] = ax.axhline(level, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)))
        style.log_x(ax, part[part.passes > 0].passes, most=5)
        ax.set_title(quality_label(part), loc="left")
        ax.set_xlabel("network passes a sequence")
    style.legend(figure, handles, inches)
    return figure, frame[list(needs)].to_dict("records")


def caption(frame: pd.DataFrame) -> str:
    own = frame[frame.sampler == "autoregressive"].sort_values("passes", ascending=False)
    guesses = ", ".join(dict.fromkeys(own.setting))
    return (
        f"{frame.subject.iloc[0]}; n = {frame.n.iloc[0]} sequences a point. Passes: NFE A of masked diffusion, whole "
        "passes of the autoregressive network, which from right to "
        f"left has {guesses} heads that guess ahead. Bars: 95 % bootstrap intervals over sequences; dashed: held-out "
        "data."
    )
