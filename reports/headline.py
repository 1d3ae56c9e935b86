"""Words: the one sentence of a report, and the captions of its figures. The rule for the headline is fixed before any number is seen.

Metric: the first of spelling, judge, ngram, exact_nll, others that is measured. Point: the baseline's own point whose NFE A lies nearest to 32 (in
the logarithm) at which a ratio with an interval exists. Arm: "ssmd" if it was run, else the first other arm.
"""

from math import log

from reports.frame import Group, Quality
from reports.plots.tradeoff import COSTS, LABELS

TARGET = 32


def name_of(label: str) -> str:
    """A metric's name in a sentence."""
    return LABELS.get(label, label.replace("_", " ")).split(" (")[0]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _best_first(matched: dict):
    """(label, data, arm, row of the table), in the order of the rule."""
    for label, data in matched.items():
        arms = [arm for arm in data["arms"] if arm.split(" · ")[0] == "ssmd"] or list(data["arms"])[:1]
        for arm in arms:
            for row in sorted(data["arms"][arm]["at_baseline"], key=lambda p: abs(log(p["nfe"] / TARGET))):
                yield label, data, arm, row


def pick(matched: dict) -> dict | None:
    """The numbers of the headline, from {label: matched.compute}."""
    return next(({"label": label, "arm": arm, "baseline": data["baseline"], "n": data["n"]} | row for label, data, arm, row in _best_first(matched)
                 if row["ratio"] is not None), None)


def _why(matched: dict) -> str:
    """Why there is no headline number: the reason at the first point of the rule."""
    label, data, arm, row = next(_best_first(matched), (None,) * 4)
    if label is None:
        return "nothing can be matched: that takes an arm named ancestral, another arm, and a metric with rows and a direction"
    side = {"the arm": arm, "the baseline": data["baseline"]}
    reason = row["reason"]
    for generic, name in side.items():
        reason = reason.replace(generic, name)
    return f"at the {name_of(label)} of {data['baseline']} with {row['nfe']:.3g} passes ({row['quality']:.3g}), {reason}"


def sentence(found: dict | None, matched: list[dict], groups: list[Group]) -> str:
    if found:
        fewer = "times fewer passes than" if found["ratio"] >= 1 else "times fewer passes (that is, more) than"
        return (f"At equal {name_of(found['label'])} ({found['quality']:.3g}), {found['arm']} needs {found['ratio']:.2f} {fewer} "
                f"{found['baseline']}: {found['arm_cost']:.1f} instead of {found['baseline_cost']:.1f} "
                f"(95 % interval of the ratio {found['low']:.2f} to {found['high']:.2f}, n = {found['n']:,}).")
    points, arms = sum(len(g.rows) for g in groups), sum(len(g.arms) for g in groups)
    if not points:
        return "No operating point was finished; what happened to each is listed below."
    return f"{points} operating point{'s' * (points > 1)} of {arms} arm{'s' * (arms > 1)}, and no ratio of passes at equal quality: {_why(next(filter(None, matched), {}))}."


def caption_tradeoff(group: Group, quality: Quality, cost: str, data: dict) -> dict:
    bars = "bars are 95 % intervals over rows" if quality.per_row else "a value of the whole set, without interval"
    dashed = "; dashed: held-out, or its value with an arrow where it lies off the axis" if data["held_out"] else ""
    hollow = "; hollow points are inert" if any(p["inert"] for mine in data["arms"].values() for p in mine) else ""
    about = {"kind": "tradeoff", "label": quality.label}
    if cost == "sample_entropy":
        return about | {"title": f"{_upper(name_of(quality.label))} beside the entropy of its samples",
                        "caption": f"{_upper(quality.unit)} against entropy per sample: a good likelihood at too low an entropy is gamed. {_upper(bars)}{dashed}{hollow}. "
                                   f"n = {group.n:,} rows a point."}
    time = "; times are medians over fresh processes, their bars the range" if cost == "seconds" else ""
    return about | {"title": f"{_upper(name_of(quality.label))} against {COSTS[cost].split(' (')[0]}",
                    "caption": f"{_upper(quality.better)} is better; {bars}{time}; lines join each arm's best, grey: Pareto front{dashed}{hollow}. "
                               f"n = {group.n:,} rows a point."}


def caption_matched(group: Group, quality: Quality, data: dict) -> dict:
    return {"kind": "matched", "label": quality.label, "title": f"NFE at matched {name_of(quality.label)}",
            "caption": f"Passes (NFE A) that {data['baseline']} needs over those of each arm at the same {name_of(quality.label)}, where both frontiers reach it; "
                       f"bands are pointwise 95 % bootstrap intervals. n = {group.n:,} rows a point."}


def caption_acceptance(group: Group, arm: str, by: str) -> dict:
    axis = "depth in the window" if by == "depth" else "progress of the text"
    return {"kind": "acceptance", "label": arm, "title": f"{arm}: acceptance by {axis}",
            "caption": f"Share of tested draft tokens that verification keeps, pooled over rows, where at least 50 were tested. n = {group.n:,} rows a point."}
