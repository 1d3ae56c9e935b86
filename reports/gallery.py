"""The committed figures of docs/gallery.md, redrawn from runs: a small PNG a figure, and the text that shows them.

    python -m reports.gallery runs/frontier:headline,tradeoff runs/acceptance --headline runs/frontier --arms ancestral
    scheduled ssmd

RUN[:FIGURE,...] names a run folder, or the zip of a kept run, and the figures of it to show, all of them by default;
they become docs/figures/STUDY_FIGURE.png. --headline draws docs/figures/headline.png, which README shows, with the arms
named alone, NAME or NAME=LABEL. What stands between the marks of docs/gallery.md is written anew, and figures that it
no longer shows are deleted.
"""

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from textwrap import fill
from types import ModuleType

from matplotlib.figure import Figure
from PIL import Image

from harness.boundary.arguments import Parser
from harness.boundary.atomic import replacing, write_text
from harness.boundary.ending import guarded, working
from harness.records.study_path import as_now
from reports import build, front, style
from reports.drawing import drawable
from reports.frame import Chapter, chapters
from reports.records import read
from reports.text import LONGEST
from reports.view import View, viewed

WIDTH = 110    # characters of a line of the page
DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
PROGRAM = "python -m reports.gallery"
DPI = 140  # of a figure that a page shows
HEADLINE = "headline"
RESAMPLES = 2000


def shown(run: Path, names: Sequence[str],
          baseline: str = "ancestral") -> Iterator[tuple[Chapter, ModuleType, Figure, str]]:
    """The chapter of the most rows of a run, drawn in double column: every plot that it has and that is named."""
    chapter = chapters(read([run]))[0]
    base = front.baseline_of(chapter, baseline)
    drawn = set()
    for plot, frame in drawable(build.frames(chapter, base, RESAMPLES)[2]):
        name = plot.__name__.rsplit(".", 1)[-1]
        if names and name not in names:
            continue
        with style.paper():
            made = plot.draw(frame, style.DOUBLE)
        if made is not None:
            drawn.add(name)
            yield chapter, plot, made[0], plot.caption(frame)
    if missing := set(names) - drawn:
        raise ValueError(f"{run} has no figure {sorted(missing)[0]!r}: leave it out, or run the study that makes it")


def write(asked: Sequence[str], docs: Path, headline: str = "", arms: Sequence[str] = ()) -> list[Path]:
    """The figures written. Raises ValueError, in a sentence, if a run or a figure is not there."""
    text: list[str] = []
    page, kept = docs / "gallery.md", []
    head, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no {BEGIN} ... {END} to write between")
    (docs / "figures").mkdir(exist_ok=True)
    if headline:
        kept.append(_save(_headline(Path(headline), arms), docs / "figures" / f"{HEADLINE}.png"))
    for words in asked:
        run, _, names = words.partition(":")
        for chapter, plot, figure, caption in shown(Path(run), [name for name in names.split(",") if name]):
            study = chapter.name.split(",")[0]
            path = (
                docs
                / "figures"
                / f"{re.sub(r'[^a-z0-9_+,]+', '', study.lower())[:LONGEST]}_{plot.__name__.rsplit('.', 1)[-1]}.png"
            )
            if not any(line.startswith(f"### {study}") for line in text):
                text += [f"### {study}", "", wrapped(_origin(chapter)), ""]
            kept.append(_save(figure, path))
            text += [f"![{plot.TITLE}](figures/{path.name})", "", wrapped(f"**{plot.TITLE}.** {caption}"), ""]
    command = shlex.join([*PROGRAM.split(), *asked, *(["--headline", headline] if headline else []),
                          *(["--arms", *arms] if arms else [])])
    told = ["", "Drawn from the records of these studies by", "", f"    {command}", "", *text]
    write_text(page, f"{head}{begin}\n" + "\n".join(told) + f"{end}{tail}")
    for path in sorted((docs / "figures").glob("*.png")):
        if path not in kept:
            path.unlink()
    return kept


def wrapped(text: str) -> str:
    """A paragraph of Markdown."""
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _headline(run: Path, arms: Sequence[str]) -> Figure:
    words = [arm.partition("=") for arm in arms]
    labels = {name: label for name, _, label in words if label}
    view = View(arms=[name for name, _, _ in words], labels={"arms": labels})
    chapter = viewed(chapters(read([run])), view)[0]
    base = front.baseline_of(chapter, "ancestral")
    plot = next(plot for plot, _ in drawable([front.tradeoff(chapter, base)]) if plot.SECTION == HEADLINE)
    with style.paper():
        made = plot.draw(front.tradeoff(chapter, base), style.DOUBLE)
    if made is None:
        raise ValueError(f"{run} has no metric to draw against passes: choose another run for the headline")
    return made[0]


def _origin(chapter: Chapter) -> str:
    """The command of the records, the commits that counted them, and how many cells are not there."""
    cells = chapter.cells.values()
    here = {cell.record.get("machine") for cell in cells}
    machines = [m for store in chapter.stores() for m in store.of("machine") if m["id"] in here]
    commits = dict.fromkeys(f"{(m.get('commit') or 'unknown')[:7]}{' with changes' if m.get('dirty') else ''}"
                            for m in machines)
    counts = chapter.frame.status.value_counts().to_dict()
    commands = dict.fromkeys(as_now(cell.study["command"]) for cell in cells if cell.study.get("command"))
    unproven = int(chapter.frame.unproven.sum())
    told = ", ".join(f"{n} {status}" for status, n in counts.items()) + (f", {unproven} of them unproven" if unproven
                                                                         else "")
    return f"{'; '.join(f'`{command}`' for command in commands)} at {', '.join(commits)}. Cells: {told}."


def _save(figure: Figure, path: Path) -> Path:
    """In 64 colours, a quarter of the bytes: lines and text have few, and nobody sees the difference."""
    drawn = BytesIO()
    with style.paper():
        figure.savefig(drawn, dpi=DPI)
    with replacing(path) as beside:
        small(drawn).save(beside, "PNG", optimize=True)
    return path


def small(drawn: BytesIO) -> Image.Image:
    """A PNG in 64 colours of its own, without dithering."""
    return Image.open(drawn).convert("RGB").quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _again(page: Path) -> list[str]:
    """The words of the command that the page shows. Raises ValueError if it shows none."""
    begin = f"    {PROGRAM} "
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith(begin) and line.partition("[")[0] == line:
            return shlex.split(line)[3:]
    raise ValueError(f"{page} shows no command to repeat: name the runs, as in `{PROGRAM} "
                     "studies/text_frontier/kept.zip`")


def main(words: Sequence[str] | None = None) -> int:
    return guarded("reports.gallery", lambda: _work(words), own=words is None)


def _work(words: Sequence[str] | None) -> int:
    parser = Parser(prog=PROGRAM, description="redraw the committed figures of docs/gallery.md")
    parser.add_argument("runs", nargs="*", metavar="RUN[:FIGURE,...]",
                        help="default: the command that the page shows, once more")
    parser.add_argument("--headline", default="", metavar="RUN", help="draw docs/figures/headline.png from this run")
    parser.add_argument("--arms", nargs="+", default=[], metavar="NAME[=LABEL]",
                        help="arms of the headline figure (default: all)")
    parser.add_argument("--docs", type=Path, default=DOCS)
    options = parser.parse_args(words)
    if options.arms and not options.headline:
        raise ValueError("--arms are those of the headline figure, and no --headline is given: add --headline RUN, "
                         "or leave --arms out")
    page = options.docs / "gallery.md"
    if not page.is_file():
        raise ValueError(f"there is no {page} to write in: --docs names a folder that has one, with the lines {BEGIN} "
                         f"and {END}")
    working()
    if not options.runs:
        options = parser.parse_args([*_again(page), "--docs", str(options.docs)])
    kept = write(options.runs, options.docs, options.headline, options.arms)
    print("\n".join(map(str, kept)))
    print(f"{sum(path.stat().st_size for path in kept) / 2**20:.2f} MiB in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
