"""What stands first on the page: the question, what was measured, the ratio that answers, or why there is none."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports import page
from reports.digits import spell
from reports.frame import Chapter, from_near
from reports.front import subject, verifying
from reports.matched import headline
from reports.named import given
from reports.worded import better_or_worse, counts_as_equal, sides

FEW = 512    # rows that are proposed at least, where some could tell
MORE = 4     # times the rows of the run: half as wide an interval


def opening(chapter: Chapter, ratios: pd.DataFrame, baseline: str | None) -> dict[str, Any]:
    """What was measured, in one sentence; the ratios that answer, of the arm with the largest lower bound, and those of
    the others; or why there is none.
    """
    entries = [
        row
        | spell(row["ratio"], row["low"], row["high"])
        | {"needs": spell(row["arm_cost"]), "base": spell(row["baseline_cost"]), "rows": int(row["n_reported"]),
           "bound": row["low"] if np.isfinite(row["low"]) else row["ratio"]}
        | {"by": better_or_worse(row), "side_by": better_or_worse(row, "side_"),
           "within": f"{row['margin']:.2g} {row['unit']}".strip()} | compared(row)
        for row in headline(ratios, chapter).to_dict("records")
    ]
    lead = leading(entries)
    first = [entry for entry in entries if entry["arm"] == lead]
    words = {"equal": counts_as_equal(ratios), "sides": sides(ratios)} if first else {}
    return {"sentence": measured(chapter), "first": first, "others": others(entries, lead), "baseline": baseline,
            "arms": len({entry["arm"] for entry in entries}),
            "lead_by": first[0]["metric"] if first else "",
            "plain": "" if first else plainly(chapter, ratios, baseline),
            "why": "" if first else detail(chapter, ratios, baseline), **words}


def measured(chapter: Chapter) -> str:
    """How many operating points of which data, and what was given."""
    done, cell = chapter.done(), next(iter(chapter.cells.values()))
    about = cell.record["cell"]
    return (f"{counted(len(done), 'operating point')} of {counted(done.arm.nunique(), 'sampler')} on "
            f"{subject(chapter)}: {counted(about['n'], 'sequence')} each, seed {about['seed']}, "
            f"{given(about, cell.study.get('data'))}.")


def counted(number: int, word: str) -> str:
    """
    >>> counted(1, "sampler"), counted(1024, "row")
    ('1 sampler', '1,024 rows')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def compared(row: dict) -> dict[str, Any]:
    """A ratio of passes as a comparison, with its interval, {"times", "compare", "than", "least"}: "2.93 times fewer
    passes than"; below one it is turned round, "1.18 times as many passes as".
    """
    if not row["ratio"] < 1:
        return {"times": spell(row["ratio"], row["low"], row["high"]), "compare": "fewer", "than": "than",
                "least": "at least " if row["at_least"] else ""}
    return {"times": spell(1 / row["ratio"], 1 / row["high"], 1 / row["low"]), "compare": "as many", "than": "as",
            "least": "at most " if row["at_least"] else ""}


def leading(entries: Sequence[dict]) -> str | None:
    """The arm whose ratio has the largest lower bound, by the first metric that has a ratio; a ratio without an
    interval is its own bound.
    """
    mine = [entry for entry in entries if entry["metric"] == entries[0]["metric"]]
    return max(mine, key=lambda entry: entry["bound"])["arm"] if mine else None


def others(entries: Sequence[dict], lead: str | None) -> dict[str, Any]:
    """The other arms by metric: {"metrics", "rows": [(arm, an entry or None a metric)]}."""
    metrics = list(dict.fromkeys(entry["metric"] for entry in entries))
    by = {(entry["arm"], entry["metric"]): entry for entry in entries}
    arms = [arm for arm in dict.fromkeys(entry["arm"] for entry in entries) if arm != lead]
    return {"metrics": metrics, "rows": [(arm, [by.get((arm, metric)) for metric in metrics]) for arm in arms]}


def plainly(chapter: Chapter, ratios: pd.DataFrame, baseline: str | None) -> str:
    """Why there is no ratio, for a reader who knows none of our words."""
    if baseline is None:
        return "No ratio: no arm is named ancestral or has that sampler, so there is nothing to compare with."
    tried = _tried(ratios)
    if tried.empty:
        return f"No ratio: it takes a metric by row, two settings of {baseline}, and another arm."
    n = int(chapter.frame.n.max())
    arms = list(dict.fromkeys(tried.arm))
    who = arms[0] if len(arms) == 1 else "any arm"
    said = f"No ratio yet: with {counted(n, 'row')} no setting of {who} could be shown to be as good as {baseline}."
    if tried.reason.str.contains("more rows may tell|run more").any():
        return f"{said} Try more rows (`--n {max(FEW, MORE * n)}`)."
    return f"{said} Try settings of more passes."


def detail(chapter: Chapter, ratios: pd.DataFrame, baseline: str | None) -> str:
    """Of one arm, the first that verifies drafts, the reason by each metric at the goal nearest to NEAR passes."""
    tried = _tried(ratios)
    if baseline is None or tried.empty:
        return ""
    speculative = verifying(chapter)
    lead = next((arm for arm in dict.fromkeys(tried.arm) if arm in speculative), tried.arm.iloc[0])
    mine = tried[tried.arm == lead]
    mine = mine.iloc[from_near(mine.passes).argsort(kind="stable")]
    nearest = [f"by {row.metric}, at {row.passes:.3g} passes of {baseline}, {row.reason}"
               for row in mine.drop_duplicates("metric").itertuples()]
    return f"{lead}: {'; '.join(nearest)}."


def _tried(ratios: pd.DataFrame) -> pd.DataFrame:
    return ratios[(ratios.kind == "realised") & (ratios.cost == "nfe_a")] if len(ratios) else ratios


def questions(chapters: Sequence[Chapter]) -> list[dict[str, str]]:
    """{"study", "text"}: what each study asks, the first paragraph of its docstring."""
    asked = {cell.study["name"]: cell.study.get("question") or "" for chapter in chapters
             for cell in chapter.cells.values()}
    found: dict[str, str] = {}
    for study, text in asked.items():
        if (parts := page.paragraphs(text)) and not parts[0]["code"] and parts[0]["text"]:
            found.setdefault(parts[0]["text"], study)
    return [{"study": study, "text": text} for text, study in found.items()]
