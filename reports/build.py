"""Run folders -> one self-contained page, figures for a paper, tables, and every number drawn. Rendered from records
alone.

    OUT/index.html                       opens from a file: styles and figures are inside, nothing is fetched
    OUT/figures/NAME[-single].{png,pdf,svg}    double column 6.75 in, and single column 3.25 in
    OUT/tables/{points,matched}.{csv,tex}
    OUT/numbers.json                     what every mark of every figure stands for, and every row of every table

    build([Path("runs/demo")], Path("runs/demo/report"))
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from types import ModuleType
from typing import Any

import jinja2
import pandas as pd

from harness.boundary.atomic import replacing, write_text
from reports import (
    costs,
    equal_entropy,
    forwards,
    front,
    grids,
    history,
    interactive,
    judges,
    matched,
    measured,
    opening,
    page,
    placed,
    published,
    samples,
    sweeps,
    tables,
)
from reports.drawing import draw, fitting, workers
from reports.frame import Chapter, chapters
from reports.named import own_plots
from reports.records import Records, read
from reports.text import brief, coded, plain, short, slug
from reports.view import ALL, View, unlabelled, viewed

TEMPLATES = Path(__file__).parent / "templates"
FRAMES = (  # each (chapter, baseline) -> tidy frame
    front.tradeoff, front.likelihood, equal_entropy.gaps, judges.scatter, forwards.against, front.acceptance,
    grids.heat, costs.stack, costs.times, sweeps.history, sweeps.front, sweeps.importance,
)


def build(run_dirs: Sequence[Path], out: Path, baseline: str = "ancestral", resamples: int = 2000,
          view: View = ALL, form: str = "icml", words: Sequence[str] = ()) -> Path:
    """The path of index.html. `form`: one of style.FORMATS; `words`: options that led here, for the command that the
    page shows. Raises ValueError, in a sentence, if there is nothing to
    report, if the view names what is not there, or if `out` cannot be written.
    """
    records, out = read(run_dirs), Path(out)
    own, side_by_side = own_plots(), workers(len(records.cells))
    parts = viewed(chapters(records), view)
    command = shlex.join(["ssmd-bench", "report", *map(str, records.folders), "--out", str(out), *words])
    try:
        for room in ("figures", "tables"):
            (out / room).mkdir(parents=True, exist_ok=True)
        prefixes = [f"{k}-{slug(part.name)}-" if len(parts) > 1 else "" for k, part in enumerate(parts, 1)]
        found = [_chapter(part, records, out, prefix, baseline, resamples, side_by_side, own, view, form) for part,
                 prefix in zip(parts, prefixes)]
        past, drawn = draw([history.over_commits(parts, front.baseline_of(parts[0], baseline))], out / "figures", "",
                           side_by_side, form=form)()
        numbers = {"schema": 1, "chapters": [numbers for _, numbers in found], "history": drawn.get("history", [])}
        write_text(out / "numbers.json", json.dumps(_plain(numbers), allow_nan=False) + "\n")
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        environment.filters |= {"short": short, "brief": brief, "coded": coded}
        title = " + ".join(dict.fromkeys(plain(cell.study["name"]) for part in parts for cell in part.cells.values()))
        html = environment.get_template("report.html.j2").render(
            chapters=[context for context, _ in found], history=past, torn=records.torn, newer=records.newer,
            command=command, title=title, questions=opening.questions(parts)
        )
        write_text(out / "index.html", html.encode(errors="replace").decode())
    except OSError as error:
        raise ValueError(
            f"the report folder {out} cannot be written ({error.strerror}): choose another with --out"
        ) from None
    return out / "index.html"


def _chapter(chapter: Chapter, records: Records, out: Path, prefix: str, baseline: str, resamples: int,
             side_by_side: Callable, own: Sequence[ModuleType], view: View, form: str) -> tuple[dict, dict]:
    """What the template needs of a chapter, and its numbers; figures and tables are written."""
    base = front.baseline_of(chapter, baseline)
    ratios, known, tidy = frames(chapter, base, resamples, view.margins)
    drawing = draw(tidy, out / "figures", prefix, side_by_side, [*fitting(own, [front.points(chapter, base), *tidy])],
                   form)
    for name, frame in (("points", tables.points_csv(chapter, view.columns)), ("matched", ratios),
                        ("published", known)):
        with replacing(out / "tables" / f"{prefix}{name}.csv") as beside:
            unlabelled(frame, chapter, view).to_csv(beside, index=False, errors="replace")
    tables.points_tex(chapter, out / "tables" / f"{prefix}points.tex", view.columns)
    tables.matched_tex(ratios, out / "tables" / f"{prefix}matched.tex")
    accepted, ranked = page.accepted(chapter, base), judges.agreement(chapter)
    context = {
        "id": slug(prefix or "report"),
        "name": chapter.name,
        "n": int(chapter.frame.n.max()),
        "baseline": base,
        "opening": opening.opening(chapter, ratios, base),
        "points": page.points(chapter, base, view.columns),
        "matched": page.matched_rows(ratios, chapter, base),
        "accepted": accepted,
        "judges": judges.spelt(ranked),
        "depths": page.DEPTHS,
        "forwards": forwards.rows(chapter, base),
        "currency": forwards.COLUMNS,
        "controls": page.controls(chapter),
        "remarks": page.remarks(chapter),
        "samples": samples.samples(chapter),
        "remade": samples.remade(chapter),
        "published": published.table(known),
        "comparisons": matched.note(ratios),
        "front": interactive.data(chapter, base),
        "provenance": page.provenance(chapter, records),
        "counts": page.counts(chapter),
        "nothing": page.nothing(chapter),
        "warnings": chapter.warnings,
        "clock": page.clock(chapter),
    }
    context["figures"], drawn = drawing()
    context["sections"] = sections(context)
    bare = [{k: v for k, v in row.items() if k != "look"} for row in accepted]
    return context, {
        "name": chapter.name,
        "figures": drawn,
        "points": chapter.frame.to_dict("records"),
        "matched": ratios.to_dict("records"),
        "accepted": bare,
        "forwards": forwards.plain(chapter),
        "judges": judges.plain(ranked),
        "published": published.plain(known),
    }


def sections(context: dict) -> set[str]:
    """The sections that have something to show beside figures, by their anchors."""
    filled = {"matched": context["matched"], "forwards": context["forwards"], "acceptance": context["accepted"],
              "judges": context["judges"], "published": context["published"], "controls": context["controls"]["arms"],
              "samples": context["samples"] or context["remade"]}
    return {"headline", "points", "missing", "provenance"} | {name for name, content in filled.items() if content}


def frames(chapter: Chapter, base: str | None, resamples: int, margins: Mapping[str, float] = ALL.margins,
           ) -> tuple[pd.DataFrame, pd.DataFrame, list[pd.DataFrame]]:
    """Ratios at matched quality, published numbers beside ours, and every tidy frame of the chapter, those two among
    them.
    """
    ratios, places = matched.matched(chapter, base, resamples, margins), placed.measured(chapter, base)
    known = published.beside(chapter, base, ratios, places)
    return ratios, known, [ratios, places, known, *(make(chapter, base) for make in FRAMES),
                           *measured.frames(chapter, base)]


def _plain(value: Any) -> Any:
    """JSON data: no NaN, no numpy."""
    kind = type(value)
    if kind is float:
        return value if isfinite(value) else None
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        return {str(k): _plain(v) for k, v in value.items()}
    if kind is list or kind is tuple:
        return [_plain(v) for v in value]
    return _plain(value.item())  # of numpy
