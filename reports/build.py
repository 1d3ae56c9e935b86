"""A report from run folders, from their records alone: OUT/index.html, OUT/figures, OUT/tables, OUT/numbers.json.

    build([Path("runs/demo")], Path("report"))    ->    report/index.html
"""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports import headline, provenance, tables
from reports.frame import Group, groups, short
from reports.plots import acceptance, matched, tradeoff
from reports.records import Records, read
from reports.style import inline, looks, paper, save

TEMPLATES = Path(__file__).parent / "templates"
FLAGS = {"inert": "speculation does nothing here: under 1.05 tokens a draft pass", "timed run differs": "a timed run gave other samples than the counted one"}
SAMPLES, LETTERS = 3, "abcdefghijklmnopqrstuvwxyz "


class Shown(NamedTuple):
    name: str
    kind: str         # tradeoff | matched | acceptance
    label: str        # metric, or arm
    title: str
    caption: str
    svg: str


def build(run_dirs: Sequence[Path], out: Path) -> Path:
    """Raises ValueError, in a sentence, if there is nothing to report or a stored array is damaged."""
    records, out = read(run_dirs), Path(out)
    found = groups(records.cells)
    try:
        for folder in ("figures", "tables"):
            shutil.rmtree(out / folder, ignore_errors=True)
            (out / folder).mkdir(parents=True)
        numbers = {"groups": [], "headline": None, "points": []}
        views = [_view(group, out / "figures", numbers) for group in found]
        first = next((v["headline"] for v in views if v["headline"]), None)
        numbers["headline"] = first
        tables.write(found, out / "tables")
        (out / "numbers.json").write_text(json.dumps(numbers, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        title = " and ".join(dict.fromkeys(c.record["study"] for c in records.cells))
        page = _environment().get_template("report.html.j2").render(
            views=views, title=title, headline=headline.sentence(first, [v["matched"] for v in views], found),
            questions=provenance.questions(records), missing=_missing(records, found), provenance=provenance.facts(records), lead=first)
        (out / "index.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"the report folder {out} cannot be written ({error.strerror}): choose another with --out") from None
    return out / "index.html"


def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"named": headline.name_of, "number": tables.number, "ms": tables.milliseconds, "span": tables.span}
    return environment


def _view(group: Group, folder: Path, numbers: dict) -> dict:
    """What the page shows of a group; its figures are written and its numbers kept on the way."""
    look = looks(group.arms, group.baseline)
    figures, kept = [], {"title": group.title, "slug": group.slug, "tradeoff": {}, "matched": {}, "acceptance": {}}
    for quality in (q for q in group.qualities if q.ordered):
        for cost in ("nfe_a", "nfe_c", "seconds", *(["sample_entropy"] if quality.likelihood else [])):
            data = tradeoff.compute(group, quality, cost)
            if data:
                name = f"{'entropy' if cost == 'sample_entropy' else 'tradeoff'}_{_slug(quality.label)}_{cost}{group.slug}"
                kept["tradeoff"][name] = data
                figures.append(_figure(name, folder, tradeoff.draw, (data, quality, look), **headline.caption_tradeoff(group, quality, cost, data)))
        data = matched.compute(group, quality)
        if data:
            kept["matched"][quality.label] = data
            if matched.drawable(data):
                name = f"matched_{_slug(quality.label)}{group.slug}"
                figures.append(_figure(name, folder, matched.draw, (data, quality, look), **headline.caption_matched(group, quality, data)))
    kept["acceptance"] = acceptance.compute(group)
    for arm, points in kept["acceptance"].items():
        for by in acceptance.AXES:
            if any(p[by] for p in points):
                name = f"acceptance_{_slug(arm)}_{by}{group.slug}"
                figures.append(_figure(name, folder, acceptance.draw, (points, by), **headline.caption_acceptance(group, arm, by)))
    numbers["groups"].append(kept)
    numbers["points"] += [_numbers(row, group) for row in group.rows + group.controls]
    timed = any(r.seconds for r in group.rows)
    return {"group": group, "figures": figures, "looks": look, "timed": timed, "cells": tables.cells, "matched": kept["matched"],
            "acceptance": kept["acceptance"], "samples": _samples(group), "headline": headline.pick(kept["matched"])}


def _figure(name: str, folder: Path, draw, arguments: tuple, kind: str, label: str, title: str, caption: str) -> Shown:
    with paper():
        figure = draw(*arguments)
    svg = save(figure, folder, name)
    return Shown(name, kind, label, title, caption, inline(svg, name, f"{title}. {caption}"))


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "-" for c in text).strip("-")


def _numbers(row, group: Group) -> dict:
    return {"group": group.title, "key": row.key, "arm": row.arm, "parameters": row.parameters, "n": row.n, "control": row.control, "flags": row.flags,
            "costs": {k: e._asdict() for k, e in row.costs.items()}, "gflop": row.cell.record["cost"]["gflop"],
            "seconds_per_row": row.seconds and row.seconds._asdict(), "qualities": {k: e._asdict() for k, e in row.qualities.items()}}


def _samples(group: Group) -> list[dict]:
    """Rows 0..2 of the middle point of each arm and of each control: chosen before they are seen."""
    chosen = [(arm, mine[len(mine) // 2]) for arm in group.arms if (mine := group.of(arm))] + [(r.arm, r) for r in group.controls]
    return [{"arm": arm, "parameters": row.parameters, "nfe": row.costs["nfe_a"].value if row.costs else None,
             "rows": [_text(x, row.cell.record["cell"]["data"]) for x in row.cell.samples()[:SAMPLES]]} for arm, row in chosen]


def _text(tokens, data: dict) -> str:
    if "symbols" in data or tokens.max() >= len(LETTERS):
        return " ".join(str(t) for t in tokens)
    return "".join(LETTERS[t] for t in tokens)


def _missing(records: Records, found: list[Group]) -> list[dict]:
    """All that is not as it should be: cells without samples, metrics that failed, inert points, code of several states."""
    notes = [{"what": r["status"], "arm": r["arm"], "where": short(r["cell"]["sampler"]), "why": r["reason"]}
             for r in (c.record for c in records.cells) if r["status"] != "done"]
    for cell in records.cells:
        notes += [{"what": "metric failed", "arm": cell.record["arm"], "where": short(cell.record["cell"]["sampler"]), "why": f"{label}: {s['reason']}"}
                  for label, s in cell.scored.items() if s["status"] != "done"]
        notes += [{"what": "outdated score", "arm": cell.record["arm"], "where": short(cell.record["cell"]["sampler"]),
                   "why": f"{label} scored older samples: run the study again"} for label in cell.outdated]
    for row in (r for g in found for r in g.rows):
        notes += [{"what": flag, "arm": row.arm, "where": row.parameters, "why": FLAGS[flag]} for flag in row.flags]
    notes += _stale(records)
    labels = {label for c in records.cells for label in c.scored}
    bare = [c for c in records.cells if c.record["status"] == "done" and (not c.scored or not labels <= {*c.scored, *c.outdated})]
    if bare:
        notes.append({"what": "not scored", "arm": "several", "where": "", "why": f"{len(bare)} finished cells lack metrics: run the study again, which scores them"})
    busy = [t["busy"] for c in records.cells for t in c.timed if (t.get("busy") or 0) > 0.2]
    if busy:
        notes.append({"what": "times doubtful", "arm": "several", "where": "", "why": f"{len(busy)} timed runs while other work took {max(busy):.0%} of the device or less"})
    if records.torn:
        notes.append({"what": "torn", "arm": "all", "where": "", "why": f"{records.torn} unreadable lines in the records were skipped"})
    names = {s["metric"]["name"] for c in records.cells for s in c.scored.values() if s["status"] == "done"}
    if not {"judge", "exact_nll"} & names:
        notes.append({"what": "not measured", "arm": "all", "where": "", "why": "no likelihood under a judge network is stored"})
    for group in found:
        if not any(r.seconds for r in group.rows):
            notes.append({"what": "not measured", "arm": "all", "where": "", "why": f"no times are stored ({group.title}): figures against seconds are absent"})
    return notes


def _stale(records: Records) -> list[dict]:
    """Arms whose points were drawn by more than one state of the code that their sampler reaches."""
    codes: dict[tuple, Counter] = {}
    for record in (c.record for c in records.cells if c.record["status"] == "done"):
        sampler = record["cell"]["sampler"]
        kind = (record["arm"], sampler["name"], *(v["name"] for v in sampler.values() if isinstance(v, dict)))
        codes.setdefault(kind, Counter())[record["code"]] += 1
    return [{"what": "stale", "arm": kind[0], "where": ", ".join(kind[2:]), "why": f"{found.total()} points come from {len(found)} states of the code ("
             + ", ".join(f"{code[:8]}: {count}" for code, count in found.most_common()) + "): run the study again to renew the older ones"}
            for kind, found in codes.items() if len(found) > 1]
