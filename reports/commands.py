"""The verb `report`: a page rendered from records alone."""

from argparse import Namespace

from harness.boundary.arguments import READ, Parser, Verb, path


def _report_options(parser: Parser) -> None:
    parser.add_argument("runs", nargs="+", type=path)
    parser.add_argument("--out", type=path, required=True)


def report(options: Namespace) -> tuple[dict, int]:
    try:
        from reports.build import build
    except ImportError as error:
        raise ValueError(f"the report needs {error.name or 'a package'}, which is not installed: the records are "
                         "safe; install it and run `ssmd-bench report`") from None
    return {"report": str(build(options.runs, options.out))}, 0


VERBS = (
    Verb("report", READ, "render a report from records alone",
         "ssmd-bench report runs/demo --out runs/demo/report", _report_options, report),
)
