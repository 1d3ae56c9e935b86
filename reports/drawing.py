"""Tidy frames -> figures, in this process or in several. Neither this module nor a plot loads more than the figures
need: a process starts in a second.

A plot is a module in reports/plots: `needs` (columns), `draw(frame, inches) -> (figure, numbers)`, `caption(frame)`,
TITLE, SECTION, PLACE. It is drawn from the first tidy frame that has its columns. One of the user's own stands in a
package of --plugins, and has no SECTION and no PLACE (reports/named.py).
"""

import importlib
import os
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import starmap
from pathlib import Path
from types import ModuleType

import pandas as pd
from joblib import Parallel, delayed
from matplotlib.figure import Figure

from reports import plots, style
from reports.font import families

ENDS = ("", "-single")  # what stands after the name of a wide figure, and of one of a column
NAMES = [module.name for module in pkgutil.iter_modules(plots.__path__)]
OWN = "own"  # the section of plots that a package of --plugins brings
MANY, WORKERS = 200, 4  # cells from which drawing in processes side by side is worth their start, and how many at most


def drawable(tidy: Sequence[pd.DataFrame]) -> Iterator[tuple[ModuleType, pd.DataFrame]]:
    """Every plot for which there is a frame with its columns, in the order of the page."""
    modules = [importlib.import_module(f"reports.plots.{name}") for name in NAMES]
    yield from fitting(sorted(modules, key=lambda module: module.PLACE), tidy)


def fitting(modules: Iterable[ModuleType], tidy: Sequence[pd.DataFrame]) -> Iterator[tuple[ModuleType, pd.DataFrame]]:
    """Each with the first frame that has its columns."""
    for plot in modules:
        frame = next((frame for frame in tidy if len(frame) and set(plot.needs) <= set(frame)), None)
        if frame is not None:
            yield plot, frame


def draw(tidy: Sequence[pd.DataFrame], folder: Path, prefix: str, side_by_side: Callable,
         own: Sequence[tuple[ModuleType, pd.DataFrame]] = (),
         form: str = "icml") -> Callable[[], tuple[list[dict], dict[str, list]]]:
    """Begin to draw and save every plot that has its columns and something to show, in both widths, and those of the
    user's own. What comes back waits for them: figures of the page, numbers.
    """
    begun = [(plot, frame, prefix + plot.__name__.rsplit(".", 1)[-1]) for plot, frame in [*drawable(tidy), *own]]
    pictures = side_by_side(_picture, [(plot.__name__, frame, form, wide, folder, name + end) for plot, frame,
                                       name in begun for wide, end in zip((True, False), ENDS)])

    def finish() -> tuple[list[dict], dict[str, list]]:
        made, numbers = [], {}
        try:
            drawn = list(pictures)
        except BrokenProcessPool:
            raise ValueError("a process that draws was lost, perhaps for want of memory: the records are safe; run "
                             "the same command again when there is more") from None
        for (plot, frame, name), *pair in zip(begun, drawn[::2], drawn[1::2]):
            if None not in pair:
                about = {"name": name, "title": plot.TITLE, "section": section(plot),
                         "caption": plot.caption(frame)}
                label = (f"{plot.TITLE}. {about['caption']} All numbers stand in the tables of this page and in "
                         "numbers.json.")
                numbers[name] = pair[0][1]
                made.append(about | {width: style.inline(svg, name + size, label) for width, size,
                                     (svg, _) in zip(("wide", "narrow"), ENDS, pair)})
        return made, numbers

    return finish


def workers(cells: int) -> Callable:
    """itertools.starmap, or the same in processes that start at once, beside whatever is done before they are
    needed.
    """
    jobs = min(WORKERS, os.cpu_count() or 1)
    if cells < MANY or jobs == 1:
        return starmap
    ready = Parallel(jobs, return_as="generator")(delayed(families)() for _ in range(jobs))

    def side_by_side(work: Callable, items: Sequence[tuple]) -> Iterator:
        list(ready)
        return (
            Parallel(jobs, batch_size=1, pre_dispatch="all", return_as="generator")(
                delayed(work)(*item) for item in items
            )
            if items
            else iter(())
        )

    return side_by_side


def _picture(plot: str, frame: pd.DataFrame, form: str, wide: bool, folder: Path,
             name: str) -> tuple[str, list] | None:
    """Draw and save one figure of a plot: its SVG and the numbers in it; None where it has nothing to show."""
    with style.formatted(form):
        return _drawn(plot, frame, style.DOUBLE if wide else style.SINGLE, folder, name)


def _drawn(plot: str, frame: pd.DataFrame, inches: float, folder: Path, name: str) -> tuple[str, list] | None:
    with style.paper():
        made = importlib.import_module(plot).draw(frame, inches)
    if made is not None and not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], Figure)):
        raise ValueError(f"draw() of the plot {plot} gave {made!r:.60}: return (figure, list of numbers), or None "
                         "where there is nothing to show")
    return (style.save(made[0], folder, name), made[1]) if made else None


def section(plot: ModuleType) -> str:
    return plot.SECTION if plot.__name__.startswith(f"{plots.__name__}.") else OWN
