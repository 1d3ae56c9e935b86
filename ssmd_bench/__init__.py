"""ssmd-bench from Python: run studies, read runs as tables, compare them.

    import ssmd_bench as sb

    study = sb.Study(name="mine", question="Which is better?", data=sb.data("wikipedia_leads", length=128),
                     nets={"heavy": sb.shipped("heavy")}, reference="heavy",
                     arms=[sb.Arm("ancestral", sb.grid(sb.sampler("ancestral"), steps=[8, 16]), {"main": "heavy"})],
                     metrics=[sb.metric("spelling")()], n=64)
    points = sb.load(sb.run(study))    # a DataFrame, one row a point

What the command line does with files these do with objects; the records are the same. Everything else is in the modules
themselves (`ssmd-bench list` has the line that imports each).
"""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

    from harness.checks.gate import Comparison
    from harness.nets.hub import Hub
    from harness.param import Choice, Range
    from harness.search.sweep import Sweep
    from harness.study import Arm, Checkpoint, Study, Table, Timing, grid, shipped

__all__ = ["Arm", "Checkpoint", "Choice", "Hub", "Range", "Study", "Sweep", "Table", "Timing", "compare", "data",
           "grid", "load", "metric", "run", "sampler", "shipped"]

# where each name stands: it is loaded when it is asked for, so that the command answers at once
PLACES = {"Hub": "nets.hub", "Choice": "param", "Range": "param", "Sweep": "search.sweep"} | dict.fromkeys(
    ("Arm", "Checkpoint", "Study", "Table", "Timing", "grid", "shipped"), "study")
# the rooms of a wheel; in the repository they stand beside this package
ROOMS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "_rooms")


def _open_rooms() -> None:
    """Put the rooms of a wheel on the path, before all else. Raises ImportError if another package has taken the name
    of one.
    """
    if not os.path.isdir(ROOMS):
        return
    for name in sorted(os.listdir(ROOMS)):
        taken = sys.modules.get(name)
        file = getattr(taken, "__file__", None) or next(iter(getattr(taken, "__path__", ())), None)
        if taken is not None and not os.path.realpath(file or "").startswith(os.path.join(ROOMS, "")):
            raise ImportError(f"ssmd_bench has a package {name!r} of its own, and another one ({file}) was imported "
                              "before: import ssmd_bench first, or do without the other one")
    # a process that we started has them by PYTHONPATH, behind the folder that it works in
    sys.path[:] = [ROOMS, *(entry for entry in sys.path if entry != ROOMS)]


_open_rooms()


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(importlib.import_module(f"harness.{PLACES[name]}"), name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


def sampler(name: str) -> type:
    """The class of a sampler by its name, `sb.sampler("ancestral")(steps=8)`. Raises ValueError for one that is not
    there.
    """
    from harness import plugins

    return _named("sampler", name, plugins.samplers() | plugins.controls())


def metric(name: str) -> type:
    """The class of a metric by its name. Raises ValueError for one that is not there."""
    from harness import plugins

    return _named("metric", name, plugins.metrics())


def data(name: str, **settings: Any) -> Any:
    """A data set by its name, `sb.data("wikipedia_leads", length=128)`. Raises ValueError for one that is not there."""
    from harness import plugins

    return _named("data set", name, plugins.datasets())(**settings)


def run(study: "Study | str", out: Path | str | None = None, only: Sequence[str] = (), jobs: int = 1,
        timing: bool = True, device: str = "cpu") -> Path:
    """Count, time and score a study, or that of a file or a name; what is stored is not computed again.

    out: the run folder, runs/NAME by default. only: names of arms. timing: whether the seconds that the study asks for
    are measured. Returns the run folder. Raises ValueError, in a sentence, for a study that could not run, and for
    cells that failed.
    """
    from harness.records.study_path import by_name
    from harness.run.runner import run as run_study
    from harness.study import chosen, load_study

    given = chosen(load_study(by_name(study)) if isinstance(study, str) else study, only)
    folder = Path(out or Path("runs") / given.name)
    tally = run_study(given, folder, device, jobs, timing, asks="chosen" if only else "all")
    if failed := tally["failed"] + tally["timeout"]:
        raise ValueError(f"{failed} cells of the study {given.name} failed: the records of {folder} say why")
    return folder


def load(run: Path | str, rows: bool = False) -> "DataFrame":
    """A run folder, or the zip of a kept run, as a table: one row a point.

    Columns: key, study, arm, status, settings (`sampler.steps`, n, seed, ...), mean costs a row (`cost.nfe_a` passes of
    the reference network, `cost.gflop`, ...), and for each metric `score.LABEL` with `.low` and `.high`, the ends of
    its 95 % interval over rows; `seconds` a sequence where they were measured. What is not known is empty.

    rows: one row a row of each point instead, with the numerators and denominators whose sums make up each score.
    Raises ValueError for what is no run.
    """
    from harness.cli._options import opened
    from harness.records.export import frame
    from harness.records.points import scores
    from harness.stats.intervals import ratio_interval

    store = opened(Path(run))
    table = frame(store, rows)
    for column in [] if rows else [name for name in table.columns if name.startswith("score.")]:
        found = [scores(store, key, column.removeprefix("score.")) for key in table["key"]]
        ends = [ratio_interval(s.numerator, s.denominator) if s is not None and len(s.numerator) > 1 else None
                for s in found]
        at = int(table.columns.get_loc(column))
        table.insert(at + 1, f"{column}.low", [v.low if v else None for v in ends])
        table.insert(at + 2, f"{column}.high", [v.high if v else None for v in ends])
    return table


def compare(base: Path | str, new: Path | str, rules: Path | str | None = None) -> "Comparison":
    """The regression gate between two runs: `.end` says how it ended, `.code` is the exit code of `ssmd-bench compare`,
    `.verdicts` has a line a cell and tier. rules: a TOML file (docs/gate.md). Raises ValueError for what is no run.
    """
    from harness.checks.gate import compare as gate
    from harness.checks.rules import Rules, read
    from harness.checks.side import side
    from harness.cli._options import opened

    before, after = (side(opened(Path(place), strict=True)) for place in (base, new))
    return gate(before, after, read(Path(rules)) if rules else Rules())


def _named(what: str, name: str, known: dict[str, type]) -> type:
    from harness.boundary.nearest import meant

    if name not in known:
        raise ValueError(f"there is no {what} {name!r}{meant(name, known) or '; choose ' + ', '.join(sorted(known))}")
    return known[name]
