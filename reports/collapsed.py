"""Cells whose samples have collapsed (harness/stats/collapse.py): the level that they are held against, and what is
said of them.

The level is what as many held-out rows have under the same metric: from the score itself, or else from a control arm of
the chapter. Where neither is there it is the most that plain ancestral sampling has.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from harness.stats.collapse import LIKELIHOOD, SHARE, collapsed
from reports.records import Cell
from reports.text import named

SEES = frozenset(
    {"distinct", "ngram_kl", "ngram_recall", "mauve", "law_tv", "kmer_distance"}
)  # metrics that samples which repeat do badly by


def marked(cells: Sequence[Cell], rows: Sequence[dict], metrics: Mapping[str, dict]) -> dict[str, tuple[str, str]]:
    """key of a collapsed cell -> the label that shows it, and what it shows."""
    found: dict[str, tuple[str, str]] = {}
    known = [label for label, about in metrics.items() if about["name"] in SHARE]
    for label in sorted(known, key=lambda label: list(SHARE).index(metrics[label]["name"])):
        done = [
            (cell, row)
            for cell, row in zip(cells, rows)
            if row["status"] == "done" and np.isfinite(row.get(label, np.nan))
        ]
        control = next((row[label] for cell, row in done if row["control"] and _sampler(row) == "held_out"), None)
        plainest = max((row[label] for cell, row in done if _sampler(row) == "ancestral"), default=None)
        for cell, row in done:
            levels = (
                (cell.scored[label].get("level"), "as many held-out rows"),
                (control, "the held-out rows"),
                (plainest, "ancestral sampling"),
            )
            level, of = next(((level, of) for level, of in levels if level is not None), (0, ""))
            if not row["control"] and collapsed(metrics[label]["name"], row[label], level):
                found.setdefault(
                    row["key"], (label, f"{label.replace('_', ' ')} is {row[label]:.3g}, and {level:.3g} in {of}")
                )
    return found


def _sampler(row: dict) -> str:
    return json.loads(row["sampler"])["name"]


def warnings(rows: Sequence[dict], found: Mapping[str, tuple[str, str]]) -> list[str]:
    """One sentence an arm, for the head of the page."""
    told, arms = [], dict.fromkeys(row["arm"] for row in rows if row["key"] in found)
    for arm in arms:
        mine = [row for row in rows if row["arm"] == arm and row["status"] == "done"]
        bad = [row for row in mine if row["key"] in found]
        which = (
            ""
            if len(mine) == 1
            else f" in {len(bad)} of {len(mine)} points ({named((row['setting'] or 'the one' for row in bad), 4)})"
        )
        told.append(
            f"The samples of {arm} have collapsed{which}: {found[bad[0]['key']][1]}. "
            "They repeat, and what a likelihood says of them is no quality: such points are hollow, and on no front "
            "and in no ratio."
        )
    return told


def unseen(metrics: Mapping[str, dict]) -> dict | None:
    """The remark for likelihoods with nothing beside them that sees repetition."""
    nll = [
        label for label, about in metrics.items() if about["unit"].startswith(LIKELIHOOD) and about["better"] == "lower"
    ]
    if not nll or SEES & {about["name"] for about in metrics.values()}:
        return None
    letters = (
        " but an entropy of single tokens"
        if any(about["name"].endswith("entropy") for about in metrics.values())
        else ""
    )
    reason = (
        f"nothing{letters} was scored beside {named(nll, 4)}: samples that repeat a likely phrase would look best "
        "here, "
        "unseen; `ssmd-bench rescore RUN` adds distinct n-grams while the samples are stored"
    )
    return {"what": "likelihood alone", "arm": "", "setting": "", "reason": reason, "key": ""}
