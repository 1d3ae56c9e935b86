"""Tables of a report: numbers as text with as many digits as their interval bears, CSV in full precision, LaTeX with
booktabs.

>>> show(0.86123, 0.8523, 0.8702), show(0.86123), show(float("nan"))
('0.861 [0.852, 0.870]', '0.8612', '')
"""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np
import pandas as pd

from harness.boundary.atomic import write_text
from reports.digits import spell
from reports.frame import COSTS, DOUBTS, Chapter, span
from reports.text import Tex, plain, tex
from reports.worded import counts_as_equal, excess, sides

BOLD = "bold: best, and its interval touches no other"
NONE = Tex("--")
SAYS = ("arm", "setting", "key", "study", "status", "reason", "control", *DOUBTS, "n")    # of which cell a row is
HEADS = {"nfe_a": "NFE A", "nfe_b": "NFE B", "nfe_c": "NFE C", "gflop": "GFLOP executed",
         "executed_over_needed": "executed / needed"}


def show(value: float, low: float = np.nan, high: float = np.nan) -> str:
    found = spell(value, low, high)
    return "" if found is None else found["value"] + (f" [{found['low']}, {found['high']}]" if found["low"] else "")


def at(row: dict, column: str) -> dict | None:
    return spell(*span(row, column))


def metric_order(chapter: Chapter) -> list[str]:
    """Spelling, then likelihoods with the entropies beside them, then the others."""

    def group(label: str) -> int:
        about = chapter.metrics[label]
        return (
            1
            if about["unit"].startswith("nats per")
            else 2
            if about["name"].endswith("entropy")
            else 0
            if about["name"] == "spelling"
            else 3
        )

    return sorted((label for label in chapter.metrics if label in chapter.frame), key=group)


def points_csv(chapter: Chapter, wanted: Sequence[str] = ()) -> pd.DataFrame:
    """The frame of the chapter; with `wanted` the columns that say which cell it is, and these with their intervals."""
    if not wanted:
        return chapter.frame
    ends = [f"{column}{end}" for column in wanted for end in ("", ".low", ".high")]
    return chapter.frame[[column for column in (*SAYS, *ends) if column in chapter.frame]]


def points_tex(chapter: Chapter, path: Path, wanted: Sequence[str] = ()) -> None:
    """Every done cell, the controls below: costs and metrics with intervals, or the columns `wanted`."""
    columns, done = [*wanted] or [*COSTS, *metric_order(chapter)], chapter.done().to_dict("records")
    metrics = [column for column in columns if column in chapter.metrics]
    unknown = (np.nan,) * 3
    heads = ["arm", "setting", *(HEADS.get(column, column.replace("_", " ")) for column in columns)]
    winners = {label: winner([unknown if row["collapsed"] else span(row, label) for row in done],
                             chapter.metrics[label]["better"]) for label in metrics}
    above = [
        [row["arm"], _flagged(row), *(_math(at(row, column), bold=k == winners.get(column, -1)) for column in columns)]
        for k, row in enumerate(done)
    ]
    controls = chapter.frame[chapter.frame.control & (chapter.frame.status == "done")]
    below = [
        [row["arm"], row["setting"], *(_math(at(row, column)) if column in metrics else NONE for column in columns)]
        for row in controls.to_dict("records")
    ]
    n = ", ".join(str(n) for n in sorted(set(chapter.frame.n)))
    _tabular(path, heads, [above, below],
             f"n = {n} sequences a point; brackets: 95 % bootstrap intervals over sequences; {BOLD}")


def _flagged(row: dict) -> str:
    """The setting, and what is doubtful of the point."""
    flags = ", ".join(flag for flag in DOUBTS if row[flag])
    return " ".join(part for part in (row["setting"], flags and f"({flags})") if part)


def matched_tex(ratios: pd.DataFrame, path: Path) -> None:
    entries, winners = realised(ratios), matched_winners(ratios)
    groups: list[list[list[str]]] = []
    for metric in dict.fromkeys(e["metric"] for e in entries):
        groups.append([])
        for e in (e for e in entries if e["metric"] == metric):
            texts = [_math(e[cost], (metric, e["goal_key"], cost, e["arm"]) in winners, e["at_least"]) if e[cost]
                     else "none" for cost in COSTS]
            goal = [Tex(f"${e['passes']:.3g}$"), Tex(f"${e['quality']:.4g}$")]
            groups[-1].append([metric, e["arm"], e["setting"], *goal, _math(spell(e["arm_cost"])), _math(e["worse"]),
                               *texts])
    _tabular(
        path,
        ["metric", "arm", "setting", "passes of baseline", "quality", "passes", "worse by", "ratio A", "ratio B",
         "ratio C"],
        groups,
        "passes of baseline, quality: of a setting of the baseline that was run; setting, passes: of the cheapest "
        "setting of the arm that was run and is not worse, "
        f"chosen on the even rows; all numbers are of the odd rows. {counts_as_equal(ratios)} {sides(ratios)} worse "
        "by: on the side of the metric, below zero better; "
        "ratio: cost of the baseline over that of the setting, up to the cheapest setting not shown to be worse; >=: "
        "the next cheaper setting that was run is more than "
        f"10 % cheaper; none: no setting is shown to be no worse; {BOLD}, and above 1, of what was run",
    )


def matched_winners(ratios: pd.DataFrame) -> set[tuple]:
    """(metric, goal_key, cost, arm) of the ratios that are above 1 and above those of all other arms by their
    intervals.
    """
    found = set()
    for about, rows in ratios[ratios.kind == "realised"].groupby(["metric", "goal_key", "cost"]) if len(ratios) else ():
        k = winner(list(rows[["ratio", "low", "high"]].itertuples(index=False, name=None)), "higher")
        if k is not None and rows.low.iloc[k] > 1:
            found.add((*about, rows.arm.iloc[k]))
    return found


def winner(spans: Sequence[tuple[float, float, float]], better: str) -> int | None:
    """Place of the best (value, low, high) if its interval is disjoint from all others; None without a better side,
    without intervals, or alone.
    """
    known = [(k, *span) for k, span in enumerate(spans) if isfinite(span[0])]
    if better not in ("lower", "higher") or len(known) < 2 or not all(isfinite(end) for _, *span in known
                                                                      for end in span):
        return None
    up = 1 if better == "higher" else -1
    k, *best = max(known, key=lambda entry: up * entry[1])
    others = [span for j, *span in known if j != k]
    apart = all(best[1] > high for _, _, high in others) if up == 1 else all(best[2] < low for _, low, _ in others)
    return k if apart else None


def best(chapter: Chapter, label: str) -> set[str]:
    """Keys of the points that are best by a metric: the best, and what lies within its interval."""
    done = chapter.done()
    rows = [(row["key"], *span(row, label)) for row in done[~done.collapsed].to_dict("records")]
    known = [row for row in rows if isfinite(row[1])]
    if (better := chapter.metrics[label]["better"]) not in ("lower", "higher") or len(known) < 2:
        return set()
    first = (max if better == "higher" else min)(known, key=lambda row: row[1])
    low, high = (first[2], first[3]) if isfinite(first[2]) else (first[1], first[1])
    return {key for key, value, *_ in known if low <= value <= high}


def realised(ratios: pd.DataFrame) -> list[dict]:
    """One entry a metric, arm and goal: the row by A, texts of the ratios by A, B and C and of how much worse the
    setting is on each side.
    """
    if ratios.empty:
        return []
    found = []
    for _, rows in ratios[ratios.kind == "realised"].groupby(["metric", "arm", "goal_key"], sort=False):
        by = {row["cost"]: row for row in rows.to_dict("records")}
        a = by["nfe_a"]
        found.append(a | {"worse": excess(a), "side_worse": excess(a, "side_")}
                     | {cost: spell(row["ratio"], row["low"], row["high"]) for cost, row in by.items()})
    return found


def _math(found: dict | None, bold: bool = False, at_least: bool = False) -> Tex:
    """Number and interval."""
    if found is None:
        return NONE
    sign = r"\geq " if at_least else ""
    value = rf"\mathbf{{{found['value']}}}" if bold else found["value"]
    return Tex(f"${sign}{value}$" + (rf" {{\scriptsize $[{found['low']}, {found['high']}]$}}" if found["low"] else ""))


def _tabular(path: Path, heads: Sequence[str], groups: Sequence[Sequence[Sequence[str]]], note: str) -> None:
    """groups of rows, a rule between them; cells that are no Tex are text."""

    def line(cells: Sequence[str]) -> str:
        return " & ".join(tex(cell) if cell else "" for cell in cells) + r" \\"

    body = "\n\\midrule\n".join("\n".join(line(row) for row in rows) for rows in groups if rows)
    lines = [
        rf"% \usepackage{{booktabs}}; {plain(note)}",
        rf"\begin{{tabular}}{{ll{'r' * (len(heads) - 2)}}}",
        r"\toprule",
        line(heads),
        r"\midrule",
        body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    write_text(path, "\n".join(line for line in lines if line) + "\n")
