"""The verbs about runs that are kept or handed on: `summarise`, `unpack`, `export`; their options, and what they do."""

from argparse import Namespace
from pathlib import Path

from harness.boundary.arguments import READ, Parser, Verb, path


def _summarise_options(parser: Parser) -> None:
    parser.add_argument("runs", nargs="+", type=path, metavar="RUN", help="run folder, or the zip of a kept run")
    where = "FILE.zip; or, of one run or of several, the folder for NAME.zip"
    parser.add_argument("--out", type=path, required=True, help=where)


def _unpack_options(parser: Parser) -> None:
    parser.add_argument("run", type=path, metavar="ZIP")
    parser.add_argument("--out", type=path, required=True, metavar="FOLDER")


def _export_options(parser: Parser) -> None:
    parser.add_argument("run", type=path, metavar="RUN", help="run folder, or the zip of a kept run")
    parser.add_argument("out", type=path, metavar="OUT", help="FILE.csv or FILE.parquet")
    parser.add_argument("--rows", action="store_true", help="a row for each row of each cell: costs, scores")


def summarise(options: Namespace) -> tuple[dict, int]:
    from harness.cli._options import opened
    from harness.records.pack import pack

    made = [pack(opened(run), out) for run, out in _targets(options.runs, options.out).items()]
    for found in made:
        for what in found["left_out"]:
            print(f"left out: {what}")
    total = {field: sum(found[field] for found in made) for field in ("records", "arrays", "bytes")}
    return {"summary": str(options.out), **total, "left_out": [what for found in made for what in found["left_out"]]}, 0


def _targets(runs: list[Path], out: Path) -> dict[Path, Path]:
    """Run -> where its zip is written. Raises ValueError, before any is, if two would be one or one is there."""
    from harness.records.places import name_of

    targets = [out] if out.suffix == ".zip" else [out / f"{name_of(run)}.zip" for run in runs]
    if len({*targets}) < len(runs):
        raise ValueError(f"{len(runs)} runs do not go into one zip: give a folder with --out, and different names")
    if there := next((target for target in targets if target.exists()), None):
        raise ValueError(f"{there} is there already: remove it, or choose another place with --out")
    return dict(zip(runs, targets))


def unpack(options: Namespace) -> tuple[dict, int]:
    from harness.records.pack import unpack as copy
    from harness.records.places import is_zip
    from harness.records.store import Store

    if not is_zip(options.run):
        raise ValueError(f"{options.run} is no FILE.zip: give the zip of a kept run, of `ssmd-bench summarise`")
    return {"run": str(options.out), **copy(Store(options.run), options.out)}, 0


def export(options: Namespace) -> tuple[dict, int]:
    from harness.cli._options import opened
    from harness.records.export import export as write

    return {"table": str(options.out), **write(opened(options.run), options.out, options.rows)}, 0


VERBS = (
    Verb("summarise", READ,
         "write a run without its samples as one zip: what a repository keeps and a report can be rendered from",
         "ssmd-bench summarise runs/demo --out runs/demo.zip", _summarise_options, summarise),
    Verb("unpack", READ, "write the zip of a kept run as a run folder, to add to it",
         "ssmd-bench unpack runs/demo.zip --out runs/demo-again", _unpack_options, unpack),
    Verb("export", READ, "a run as one table, for pandas and others: a row a cell",
         "ssmd-bench export runs/demo runs/demo.csv", _export_options, export),
)
