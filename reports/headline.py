"""Words: the one sentence of a report, and the captions of its figures. The rule for the headline is fixed before any number is seen.

Metric: the first of spelling, judge, ngram, exact_nll, others that is measured. Point: the baseline's own point whose NFE A lies nearest to 32 (in
the logarithm) at which a ratio with an interval exists. Arm: "ssmd" if there is one, else the first other arm.
"""

from math import log

from reports.frame import Group, Quality
from reports.plots.tradeoff import COSTS, axis_label

TARGET = 32


def pick(matched: dict) -> dict | None:
    """The numbers of the headline, from {label: matched.compute}."""
    for label, data in matched.items():
        for arm in sorted(data["arms"], key=lambda a: a.split(" · ")[0] != "ssmd"):
            for row in sorted(data["arms"][arm]["at_baseline"], key=lambda p: abs(log(p["nfe"] / TARGET))):
                if row["ratio"] is not None:
                    return {"label": label, "arm": arm, "baseline": data["baseline"], "n": data["n"]} | row
    return None


def sentence(found: dict | None, groups: list[Group]) -> str:
    if found:
        fewer = "fewer" if found["ratio"] >= 1 else "as many"
        return (f"At equal {found['label'].replace('_', ' ')} ({found['quality']:.3g}), {found['arm']} needs {found['ratio']:.2f} times {fewer} passes than "
                f"{found['baseline']}: {found['arm_cost']:.1f} instead of {found['baseline_cost']:.1f} NFE "
                f"(95 % interval of the ratio {found['low']:.2f} to {found['high']:.2f}, n = {found['n']:,}).").replace("as many passes than", "as many passes as")
    points, arms = sum(len(g.rows) for g in groups), sum(len(g.arms) for g in groups)
    if not points:
        return "No operating point was finished; what happened to each is listed below."
    why = "no arm is named ancestral" if not any(g.baseline for g in groups) else "no other arm reaches a quality of the baseline's with an interval"
    return f"{points} operating point{'s' * (points > 1)} of {arms} arm{'s' * (arms > 1)}; no ratio of passes at equal quality, because {why}."


def _better(quality: Quality) -> str:
    return f"{quality.better} is better"


def caption_tradeoff(group: Group, quality: Quality, cost: str, data: dict) -> dict:
    bars = "bars are 95 % intervals over rows" if quality.per_row else "a value of the whole set, without interval"
    if cost == "sample_entropy":
        return {"kind": "entropy", "title": f"{quality.label} beside the entropy of its samples",
                "caption": f"{axis_label(quality)} against entropy per sample; low likelihoods at low entropy are gamed, not good. {bars}; dashed: held-out. n = {group.n:,} a point."}
    time = "; times are medians over fresh processes, their bars the range" if cost == "seconds" else ""
    hollow = "; hollow points are inert" if any(p["inert"] for mine in data["arms"].values() for p in mine) else ""
    dashed = "; dashed: held-out" if data["held_out"] else ""
    return {"kind": "tradeoff", "title": f"{quality.label} against {COSTS[cost].split(' (')[0]}",
            "caption": f"{axis_label(quality)}, {_better(quality)}; {bars}{time}; lines join each arm's best, grey: Pareto front{dashed}{hollow}. n = {group.n:,} rows a point."}


def caption_matched(group: Group, quality: Quality, data: dict) -> dict:
    return {"kind": "matched", "title": f"NFE at matched {quality.label}",
            "caption": f"Passes (NFE A) that {data['baseline']} needs over those of each arm at the same {quality.label}, where both frontiers reach it; "
                       f"bands are pointwise 95 % bootstrap intervals. n = {group.n:,} rows a point."}


def caption_acceptance(group: Group, arm: str, by: str) -> dict:
    axis = "depth in the window" if by == "depth" else "progress of the text"
    return {"kind": "acceptance", "title": f"{arm}: acceptance by {axis}",
            "caption": f"Share of tested draft tokens that verification keeps, pooled over rows, where at least 50 were tested. n = {group.n:,} rows a point."}
