"""Run folders -> one self-contained page, figures for a paper, tables, and every number drawn. Rendered from records alone.

    OUT/index.html                       opens from a file: styles and figures are inside, nothing is fetched
    OUT/figures/NAME[-single].{png,pdf,svg}    double column 6.75 in, and single column 3.25 in
    OUT/tables/{points,matched}.{csv,tex}
    OUT/numbers.json                     what every mark of every figure stands for, and every row of every table

    build([Path("runs/demo")], Path("runs/demo/report"))

A plot is a module in reports/plots: `needs` (columns), `draw(frame, inches) -> (figure, numbers)`, `caption(frame)`, TITLE, SECTION, PLACE. It is
drawn from the first tidy frame that has its columns.
"""

import importlib
import json
import pkgutil
import re
import shlex
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from types import ModuleType

import jinja2
import pandas as pd

from reports import costs, front, grids, history, interactive, measured, page, placed, plots, published, samples, style, sweeps, tables
from reports.adjusted import adjusted, note
from reports.frame import Chapter, chapters
from reports.records import Records, read

SIZES = ("", "-single")  # after a figure's name, double and single column
TEMPLATES = Path(__file__).parent / "templates"
FRAMES = (  # each (chapter, baseline) -> tidy frame
    front.tradeoff, front.likelihood, front.acceptance, grids.heat, costs.stack, costs.times, sweeps.history, sweeps.front, sweeps.importance,
)


def build(run_dirs: Sequence[Path], out: Path, baseline: str = "ancestral", resamples: int = 2000) -> Path:
    """The path of index.html. Raises ValueError, in a sentence, if there is nothing to report or `out` cannot be written."""
    records, out = read(run_dirs), Path(out)
    parts = chapters(records)
    command = shlex.join(["ssmd-bench", "report", *map(str, records.folders), "--out", str(out)])
    try:
        for room in ("figures", "tables"):
            (out / room).mkdir(parents=True, exist_ok=True)
        prefixes = [f"{k}-{_slug(part.name)}-" if len(parts) > 1 else "" for k, part in enumerate(parts, 1)]
        found = [_chapter(part, records, out, prefix, baseline, resamples) for part, prefix in zip(parts, prefixes)]
        past, drawn = draw([history.over_commits(parts, front.baseline_of(parts[0], baseline))], out / "figures", "")
        numbers = {"schema": 1, "chapters": [numbers for _, numbers in found], "history": drawn.get("history", [])}
        (out / "numbers.json").write_text(json.dumps(_plain(numbers), allow_nan=False) + "\n", encoding="utf-8")
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        title = " + ".join(dict.fromkeys(cell.study["name"] for part in parts for cell in part.cells.values()))
        html = environment.get_template("report.html.j2").render(
            chapters=[context for context, _ in found], history=past, torn=records.torn, newer=records.newer, command=command, title=title
        )
        (out / "index.html").write_text(html, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"the report folder {out} cannot be written ({error.strerror}): choose another with --out") from None
    return out / "index.html"


def _chapter(chapter: Chapter, records: Records, out: Path, prefix: str, baseline: str, resamples: int) -> tuple[dict, dict]:
    """What the template needs of a chapter, and its numbers; figures and tables are written."""
    base = front.baseline_of(chapter, baseline)
    ratios, known, tidy = frames(chapter, base, resamples)
    figures, drawn = draw(tidy, out / "figures", prefix)
    for name, frame in (("points", chapter.frame), ("matched", ratios), ("published", known)):
        frame.to_csv(out / "tables" / f"{prefix}{name}.csv", index=False)
    tables.points_tex(chapter, out / "tables" / f"{prefix}points.tex")
    tables.matched_tex(ratios, out / "tables" / f"{prefix}matched.tex")
    accepted = page.accepted(chapter, base)
    context = {
        "id": _slug(prefix or "report"),
        "name": chapter.name,
        "n": int(chapter.frame.n.max()),
        "baseline": base,
        "figures": figures,
        "opening": page.opening(chapter, ratios, base),
        "points": page.points(chapter, base),
        "matched": page.matched_rows(ratios, chapter, base),
        "accepted": accepted,
        "depths": page.DEPTHS,
        "controls": page.controls(chapter),
        "troubles": chapter.troubles,
        "samples": samples.samples(chapter),
        "published": published.table(known),
        "comparisons": note(ratios),
        "front": interactive.data(chapter, base),
        "provenance": page.provenance(chapter, records),
        "counts": chapter.frame.status.value_counts().to_dict(),
    }
    bare = [{k: v for k, v in row.items() if k != "look"} for row in accepted]
    return context, {
        "name": chapter.name,
        "figures": drawn,
        "points": chapter.frame.to_dict("records"),
        "matched": ratios.to_dict("records"),
        "accepted": bare,
        "published": published.plain(known),
    }


def frames(chapter: Chapter, base: str | None, resamples: int) -> tuple[pd.DataFrame, pd.DataFrame, list[pd.DataFrame]]:
    """Ratios at matched quality, published numbers beside ours, and every tidy frame of the chapter, those two among them."""
    ratios, places = adjusted(front.matched(chapter, base, resamples)), placed.measured(chapter, base)
    known = published.beside(chapter, base, ratios, places)
    return ratios, known, [ratios, places, known, *(make(chapter, base) for make in FRAMES), *measured.frames(chapter, base)]


def drawable(tidy: Sequence[pd.DataFrame]) -> Iterator[tuple[ModuleType, pd.DataFrame]]:
    """Every plot for which there is a frame with its columns, in the order of the page."""
    modules = [importlib.import_module(f"reports.plots.{module.name}") for module in pkgutil.iter_modules(plots.__path__)]
    for plot in sorted(modules, key=lambda module: module.PLACE):
        frame = next((frame for frame in tidy if len(frame) and set(plot.needs) <= set(frame)), None)
        if frame is not None:
            yield plot, frame


def draw(tidy: Sequence[pd.DataFrame], folder: Path, prefix: str) -> tuple[list[dict], dict[str, list]]:
    """Draw and save every plot that has its columns and something to show, in both widths."""
    made, numbers, jobs = [], {}, []
    for plot, frame in drawable(tidy):
        name = prefix + plot.__name__.rsplit(".", 1)[-1]
        with style.paper():
            pair = [plot.draw(frame, inches) for inches in (style.DOUBLE, style.SINGLE)]
        if None not in pair:
            numbers[name] = pair[0][1]
            jobs += [(figure, folder, name + size) for size, (figure, _) in zip(SIZES, pair)]
            made.append({"name": name, "title": plot.TITLE, "section": plot.SECTION, "caption": plot.caption(frame)})
    pictures = (style.save(*job) for job in jobs)
    for figure in made:
        label = f"{figure['title']}. {figure['caption']} All numbers stand in the tables of this page and in numbers.json."
        figure |= {width: style.inline(next(pictures), figure["name"] + size, label) for width, size in zip(("wide", "narrow"), SIZES)}
    return made, numbers


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "report"


def _plain(value: object) -> object:
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
