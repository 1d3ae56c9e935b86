"""What a chapter of the page says, as plain data for the template: sentences, table rows, provenance. What stands
first: reports/opening.py.
"""

import json
import re
import textwrap
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from harness.boundary.nearest import meant
from harness.records.study_path import as_now
from reports import asked, busy, style, tables
from reports.digits import spell
from reports.frame import DOUBTS, Chapter
from reports.front import directional, verified
from reports.named import given
from reports.records import Records
from reports.tables import at, metric_order, realised
from reports.text import named
from reports.worded import counts_as_equal, sides

DEPTHS = (1, 2, 4, 8)


def points(chapter: Chapter, baseline: str | None, wanted: Sequence[str] = ()) -> dict:
    """The table of all operating points; cells that were not done have their reason instead of numbers. wanted: its
    columns, all by default. Raises ValueError for one that is not there.
    """
    look, heads = style.looks(chapter.palette, baseline), _heads(chapter)
    if unknown := [column for column in wanted if column not in heads]:
        raise ValueError(f"the table of points has no column {unknown[0]!r}"
                         f"{meant(unknown[0], heads) or '; choose ' + ', '.join(heads)}")
    columns = [*wanted] or [*heads]
    best = {label: tables.best(chapter, label) for label in columns if label in directional(chapter)}
    rows = [
        {
            "arm": row["arm"],
            "look": look.get(row["arm"]),
            "setting": row["setting"],
            "key": row["key"],
            "status": row["status"],
            "reason": row["reason"],
            "flags": [flag for flag in DOUBTS if row[flag]],
            "cells": [(cell := at(row, column)) and cell | {"best": row["key"] in best.get(column, ())}
                      for column in columns],
        }
        for row in chapter.frame[~chapter.frame.control].to_dict("records")
    ]
    return {"heads": [heads[column] for column in columns],
            "rows": [list(group) for _, group in groupby(rows, key=lambda row: row["arm"])]}


def _heads(chapter: Chapter) -> dict[str, dict]:
    """Column -> what stands above it."""
    found: dict[str, dict] = {"nfe_a": {"name": "NFE A"}, "nfe_b": {"name": "NFE B"}, "nfe_c": {"name": "NFE C"}}
    for label in metric_order(chapter):
        about = chapter.metrics[label]
        found[label] = {"name": label.replace("_", " "), "unit": about["unit"],
                        "arrow": style.ARROWS.get(about["better"], "=")}
    if "seconds" in chapter.frame:
        found["seconds"] = {"name": "seconds"}
    return found | {"gflop": {"name": "GFLOP executed"}, "executed_over_needed": {"name": "executed / needed"}}


def counts(chapter: Chapter) -> str:
    """How many cells are here, by status, and how many were asked for."""
    here = [f"{count} {status}" for status, count in chapter.frame.status.value_counts().items()]
    here += [f"{len(chapter.asked.missing)} without a record"] if chapter.asked.missing else []
    return f"Cells: {', '.join(here)}. {asked.sentence(chapter.asked)}".strip()


def remarks(chapter: Chapter) -> list[dict]:
    """What is missing or doubtful, one remark a cause: how often, where, and why. Reasons that differ in numbers alone
    are one cause, told by the first.
    """
    causes: dict[tuple[str, str], list[dict]] = {}
    for trouble in chapter.troubles:
        cause = trouble["what"], re.sub(r"\b[\da-f.]*\d[\da-f.]*\b", "#", trouble["reason"])
        causes.setdefault(cause, []).append(trouble)
    found = []
    for (what, _), mine in causes.items():
        arms: dict[str, list[str]] = {}
        for trouble in mine:
            arms.setdefault(trouble["arm"], []).append(trouble["setting"])
        where = [f"{arm} ({named(filter(None, settings), 6)})" if any(settings) else arm
                 for arm, settings in arms.items()]
        unlike = len({trouble["reason"] for trouble in mine}) > 1
        found.append({"what": what, "count": len(mine), "where": named(where, 6),
                      "reason": mine[0]["reason"] + (" (the first of them)" if unlike else "")})
    return found


def nothing(chapter: Chapter) -> str:
    """What is said where there is no remark: of cells that are not known, nothing."""
    cells = "every cell that the study asks for was counted" if not chapter.asked.unknown else ("every cell that has "
                                                                                                "a record was counted")
    return f"No remark: {cells}, each sampler by the same code; none is inert or has collapsed, no metric failed."


def clock(chapter: Chapter) -> str:
    """What there is to say of the seconds of the chapter; nothing where none were taken."""
    done = chapter.done()
    done = done[done.seconds.notna()] if "seconds" in done else done[:0]
    return (
        busy.told(*(busy.column(done, f"seconds.{part}") for part in ("busy", "low", "high"))).strip()
        if len(done)
        else ""
    )


def matched_rows(ratios: pd.DataFrame, chapter: Chapter, baseline: str | None) -> list[dict]:
    """By metric: what was matched, and the rows of the table by arm."""
    look = style.looks(chapter.palette, baseline)
    rows = [
        e | {"look": look[e["arm"]]} | {name: spell(e[name]) for name in ("quality", "arm_cost", "cheaper_cost")
                                        if name in e}
        for e in realised(ratios)
    ]
    return [
        {
            "metric": metric,
            "n": int(mine[0]["n_reported"]),
            "side": mine[0]["side"],
            "words": f"{counts_as_equal(ratios[ratios.metric == metric])} {sides(ratios[ratios.metric == metric])}",
            "found": any(e["nfe_a"] for e in mine),
            "arms": [list(rows) for _, rows in groupby(mine, key=lambda e: e["arm"])],
        }
        for metric, mine in ((metric, list(group)) for metric, group in groupby(rows, key=lambda e: e["metric"]))
    ]


def accepted(chapter: Chapter, baseline: str | None) -> list[dict]:
    """Drafts accepted, over all tests, at some depths, and per pass, of every cell that verifies drafts."""
    look, found = style.looks(chapter.palette, baseline), []
    for key, arm, setting, n in zip(*(chapter.done()[column] for column in ("key", "arm", "setting", "n"))):
        if (cost := verified(chapter.cells[key])) is None:
            continue
        tested, passed = (np.asarray(cost[what].get("depth", ()), float) for what in ("tested", "passed"))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = passed / tested
        calls = {kind: sum(v for name, v in cost["calls"].items() if name.endswith(f".{kind}"))
                 for kind in ("draft", "verify")}
        found.append(
            {
                "arm": arm,
                "setting": setting,
                "look": look[arm],
                "key": key,
                "tested": int(tested.sum()),
                "share": passed.sum() / tested.sum() if tested.any() else np.nan,
                "depths": [float(share[d - 1]) if d <= len(share) else np.nan for d in DEPTHS],
                "tokens": cost["tokens"] / n / cost["nfe_b"] if cost["nfe_b"] else np.nan,
                "rounds": calls["verify"] / calls["draft"] if calls["draft"] else np.nan,
            }
        )
    return found


def controls(chapter: Chapter) -> dict:
    """Every metric of the control rows, and whether its intervals tell shuffled rows from held-out ones."""
    frame = chapter.frame[chapter.frame.control & (chapter.frame.status == "done")]
    known = {json.loads(row["sampler"])["name"]: row for row in frame.to_dict("records")}
    rows = [
        {
            "label": label,
            "unit": chapter.metrics[label]["unit"],
            "cells": [at(row, label) for row in frame.to_dict("records")],
            "apart": _apart(known.get("held_out"), known.get("shuffled"), label, chapter.metrics[label]["better"]),
        }
        for label in metric_order(chapter)
    ]
    return {"arms": list(frame.arm), "rows": rows, "both": {"held_out", "shuffled"} <= set(known)}


def _apart(real: dict | None, shuffled: dict | None, label: str, better: str) -> str:
    if real is None or shuffled is None or better not in ("lower", "higher"):
        return ""
    up = (1, "low", "high") if better == "higher" else (-1, "high", "low")
    worst, best = (up[0] * row.get(f"{label}.{end}", np.nan) for row, end in ((real, up[1]), (shuffled, up[2])))
    return "no interval" if not np.isfinite([worst, best]).all() else "yes" if worst > best else "no"


def provenance(chapter: Chapter, records: Records) -> dict:
    cells = list(chapter.cells.values())
    about = [cell.record["cell"] for cell in cells]

    def all_of(field: str) -> str:
        return ", ".join(dict.fromkeys(str(a.get(field)) for a in about if a.get(field) is not None))

    used = dict.fromkeys(sha for a in about for sha in (a.get("nets") or {}).values())
    names = {sha: a["net_names"].get(role, "") for a in about for role, sha in (a.get("nets") or {}).items()}
    here = {cell.record.get("machine") for cell in cells} | {t["machine"] for cell in cells for t in cell.timed}
    return {
        "facts": {
            "batch": all_of("batch"),
            "seed": all_of("seed"),
            "device": all_of("device"),
            "network dtype": all_of("dtype"),
            "draw dtype": all_of("draw_dtype"),
            "temperature": all_of("temperature"),
            "nucleus": ", ".join(dict.fromkeys(f"{a['nucleus']} ({a['nucleus_keep']})" if "nucleus" in a else "none"
                                               for a in about)),
            "prompt": ", ".join(dict.fromkeys(given(cell.record["cell"], cell.study.get("data")) for cell in cells)),
            "unit of a pass": ", ".join(dict.fromkeys(cell.study.get("reference", "") for cell in cells)),
            "sampling code": ", ".join(dict.fromkeys(tree for c in cells for tree in c.trees[-1:])),
        },
        "data": json.dumps(about[0]["data"], sort_keys=True),
        "networks": [
            {"name": names[sha], "sha256": sha, "card": json.dumps(records.networks.get(sha, {}).get("card"), indent=1)}
            for sha in used
        ],
        "metrics": {label: json.dumps(_metric(m["metric"]), sort_keys=True) for label, m in chapter.metrics.items()},
        "machines": list({(m["id"], m.get("commit"), m.get("diff_sha")): m for store in chapter.stores()
                          for m in store.of("machine") if m["id"] in here}.values()),
        "commands": list(dict.fromkeys(as_now(cell.study["command"]) for cell in cells if cell.study.get("command"))),
        "questions": [paragraphs(text)[1:] for text in dict.fromkeys(cell.study.get("question", "") for cell in cells
                                                                 if cell.study.get("question"))],
    }


def _metric(settings: dict) -> dict:
    """What a metric is: its identity, where it has one, stands for the path of its file."""
    return settings.get("identity") or settings


def paragraphs(text: str) -> list[dict]:
    """A docstring as parts {"text", "code"}: lines of prose run on, indented ones stand as they are.

    >>> paragraphs("One\\ntwo.\\n\\n    make demo")
    [{'text': 'One two.', 'code': False}, {'text': 'make demo', 'code': True}]
    """
    found = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        code = all(line.startswith("    ") for line in part.splitlines())
        found.append({"text": textwrap.dedent(part).strip() if code else " ".join(part.split()), "code": code})
    return found
