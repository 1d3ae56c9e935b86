"""How figures look: paper widths, colour-blind-safe colours, one colour and marker an arm everywhere, three file
formats, inline SVG.

Colours are those of Okabe and Ito (2008) without the yellow, which vanishes on white, and two of Tol's muted scheme;
the baseline has the ink. Single column 3.25 in, double 6.75 in, text of 6.5 to 7 points; fonts are embedded as
TrueType.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from harness.boundary.atomic import replacing, write_text
from reports.font import families
from reports.text import short, spaced


class Format(NamedTuple):
    """What a venue asks of a figure."""

    single: float = 3.25     # inches: a column
    double: float = 6.75     # both, or the text of a page of one column
    points: float = 7.0      # of the text; ticks have half a point less
    serif: bool = False


FORMATS = {
    "icml": Format(), "neurips": Format(2.7, 5.5, serif=True), "nature": Format(3.5, 7.2),    # 89 and 183 mm
    "slides": Format(6.2, 12.4, 13.0),
}
SINGLE, DOUBLE, LINES = 3.25, 6.75, 1.0  # inches, and the height of text over that of 7 points, of the format in use
SERIF = False
INK, MUTED, FRONT, GRID, PAPER = "#1a1a1b", "#6b6b6d", "#c4c4c8", "#e6e6e9", "#ffffff"
VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", FRONT: "var(--front)", GRID: "var(--grid)",
             PAPER: "var(--paper)"}
COLOURS = (INK, "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#999933")
MARKERS = ("o", "s", "D", "^", "v", "<", ">", "P", "X", "*")
ARROWS = {"higher": "↑", "lower": "↓"}  # the better side; a metric that should match the data's has none
SIGNS = dict(zip(MARKERS, "●■◆▲▼◀▶✚✖★"))

Handles = dict[str, Artist]    # of a legend, by name
RC: dict[Any, Any] = {    # matplotlib lists its keys one by one
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.2,
    "legend.labelspacing": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.8,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "figure.dpi": 300,  # text is laid out as wide as it will be drawn
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "ssmd-bench",
    "axes.unicode_minus": True,
    "text.parse_math": False,  # a $ in the name of an arm is a $
}
RUN = 30  # marks that are merged
LETTER = 0.054  # inches of a letter of a legend
# of a trade-off
AXES = {"nfe_a": "NFE A (blocks)", "nfe_b": "NFE B (drafts)", "nfe_c": "NFE C (FLOPs)", "seconds": "seconds a sequence"}


class Look(NamedTuple):
    colour: str
    marker: str

    @property
    def sign(self) -> str:
        return SIGNS[self.marker]


def looks(arms: Sequence[str], baseline: str | None) -> dict[str, Look]:
    """A colour and a marker for each arm, in the order given; the baseline comes first."""
    ordered = [a for a in arms if a == baseline] + [a for a in arms if a != baseline]
    return {arm: Look(COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]) for k, arm in enumerate(ordered)}


@contextmanager
def formatted(name: str) -> Iterator[None]:
    """Figures drawn in this process are of the format, while it lasts."""
    global SINGLE, DOUBLE, LINES, SERIF
    before = SINGLE, DOUBLE, LINES, SERIF
    SINGLE, DOUBLE, points, SERIF = FORMATS[name]
    LINES = points / 7
    try:
        yield
    finally:
        SINGLE, DOUBLE, LINES, SERIF = before


def paper():
    """A context in which figures are drawn."""
    grown = {key: value * LINES for key, value in RC.items() if key.endswith((".size", "size", "width"))}
    family = ["DejaVu Serif", *families()] if SERIF else families()
    return matplotlib.rc_context(RC | grown | {"font.family": family})


def small(points: float = 6.0) -> float:
    """Size of text that stands within a figure, from its size among text of 7 points."""
    return points * LINES


def panels(rows: int, columns: int, inches: float, height: float, **share) -> tuple[Figure, np.ndarray]:
    """A figure without pyplot's global state, and its axes, (rows, columns); `height` inches a row."""
    figure = Figure(figsize=(inches, LINES * (height * rows + 0.35)))
    return figure, figure.subplots(rows, columns, squeeze=False, **share)


def even(axis: Axis, most: int = 5) -> None:
    """At most `most` steps of 1, 2, 2.5 or 5."""
    axis.set_major_locator(MaxNLocator(most, steps=(1, 2, 2.5, 5, 10)))


def log_x(ax: Axes, values: Sequence[float], most: int = 5) -> None:
    """A log axis around the values, with two to `most` round ticks."""
    ax.set_xscale("log")
    _log(ax.xaxis, ax.set_xlim, values, most)


def log_y(ax: Axes, values: Sequence[float], most: int = 5) -> None:
    ax.set_yscale("log")
    _log(ax.yaxis, ax.set_ylim, values, most)


def _log(axis: Axis, limits: Callable, values: Sequence[float], most: int) -> None:
    shown = np.asarray([v for v in values if np.isfinite(v) and v > 0])
    if not len(shown):
        return
    low, high = shown.min(), shown.max()
    pad = max(0.06 * np.log(high / low), 0.02)
    low, high = low * np.exp(-pad), high * np.exp(pad)
    limits(low, high)
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    twos = 2.0 ** np.arange(-20, 21)
    tens = (np.outer(decades, (1, 2, 5)).ravel(), np.outer(decades, (1, 3)).ravel(), decades,
            np.array(MaxNLocator(4).tick_values(low, high)))
    choices = tens if low < 0.2 else (twos, twos[::2], np.sort(np.outer(twos, (1, 1.5)).ravel()), *tens)
    inside = [c[(c >= low) & (c <= high)] for c in choices]
    inside += [t[:: -(-len(t) // most)] for t in inside if len(t) > most]
    ticks = next((t for t in inside if 3 <= len(t) <= most), next((t for t in inside if 2 <= len(t) <= most),
                                                                  inside[-1]))
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: re.sub(r"e-0*", "e-", f"{value:g}")))


def legend(figure: Figure, handles: Mapping[str, Artist], inches: float) -> None:
    """One legend above all panels, in as many columns as fit the width; none where nothing is drawn."""
    if not handles:
        return
    labels = [short(spaced(label), int((inches / LINES - 0.6) / LETTER)) for label in handles]
    widths = [LINES * (0.42 + LETTER * len(label)) for label in labels]  # inches: handle, gap and text of 6.5 points
    columns = next((k for k in range(len(labels), 1, -1)
                    if sum(part.max() for part in np.array_split(widths, k)) <= inches), 1)
    lines, (width, height) = -(-len(labels) // columns), figure.get_size_inches()
    figure.set_size_inches(width, height + 0.14 * lines * LINES)
    figure.legend(list(handles.values()), labels, loc="outside upper center", ncols=-(-len(labels) // lines))


def brief(text: str, inches: float) -> str:
    """The text, shortened in its middle to what stands beside bars of a figure so wide."""
    return short(spaced(text), 44 if inches >= DOUBLE else 34)


def save(figure: Figure, folder: Path, name: str) -> str:
    """Write NAME.png, NAME.pdf and NAME.svg; the SVG text comes back."""
    with paper():
        layout = figure.get_layout_engine()
        assert layout is not None    # as in `paper`
        layout.execute(figure)
        # of this context: laid out once, not for each format
        matplotlib.rcParams["figure.constrained_layout.use"] = False
        figure.set_layout_engine(None)
        with replacing(folder / f"{name}.png") as beside:
            figure.savefig(beside, format="png", dpi=300, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
        with replacing(folder / f"{name}.pdf") as beside:
            figure.savefig(beside, format="pdf", metadata={"CreationDate": None})
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    write_text(folder / f"{name}.svg", text.getvalue())
    return text.getvalue()


def inline(svg: str, prefix: str, label: str) -> str:
    """An SVG file as an element of a page: own ids, the page's ink and paper, a label for who cannot see it."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.S)
    body = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", body).replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'href="#', f'href="#{prefix}-', body).replace("url(#", f"url(#{prefix}-")
    # hundredths of a point are finer than any screen
    body = re.sub(r'\b(?:d|x|y)="[^"]*"', lambda places: re.sub(r"(\.\d\d)\d+", r"\1", places[0]), body)
    body = _merged(re.sub(r"\n\s+", "\n", body), prefix)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, variable)
    size = next(re.finditer(r'viewBox="[^"]*"', body))[0]
    escaped = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return f'<svg {size} role="img" aria-label="{escaped}">' + body[body.index(">") + 1 :].strip()


def _merged(body: str, prefix: str) -> str:
    """Long runs of one mark, an element each, as one path with that mark at its corners: a tenth of the bytes."""
    found: list[str] = []

    def path(run: re.Match) -> str:
        found.append(name := f"{prefix}-run{len(found)}")
        places = " ".join(f"{x} {y}" for x, y in re.findall(r'x="([^"]*)" y="([^"]*)"', run[0]))
        ends = " ".join(f'marker-{end}="url(#{name})"' for end in ("start", "mid", "end"))
        mark = (f'<marker id="{name}" overflow="visible" markerUnits="userSpaceOnUse"><use href="{run[1]}" '
                f'style="{run[2]}"/></marker>')
        return f'{mark}<path d="M{places}" fill="none" {ends}/>\n'

    use = r'<use href="{}" x="[^"]*" y="[^"]*" style="{}"/>\s*'
    return re.sub(use.format('([^"]*)', '([^"]*)') + "(?:" + use.format(r"\1", r"\2") + f"){{{RUN},}}", path, body)
