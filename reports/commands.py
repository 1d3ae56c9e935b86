"""The verb `report`: a page rendered from records alone."""

from argparse import ArgumentTypeError, Namespace

from harness.boundary.arguments import READ, Parser, Verb, number, path, word


def _report_options(parser: Parser) -> None:
    parser.add_argument("runs", nargs="+", type=path)
    parser.add_argument("--out", type=path, required=True)
    parser.add_argument("--arms", type=word, nargs="+", default=[], metavar="ARM", help="these alone, and the controls")
    parser.add_argument("--metrics", type=word, nargs="+", default=[], metavar="METRIC", help="these alone")
    parser.add_argument("--labels", type=path, metavar="FILE",
                        help="TOML: [arms] and [metrics], NAME = \"what it is called\"")
    parser.add_argument("--columns", type=word, nargs="+", default=[], metavar="COLUMN",
                        help="of the table of points: nfe_a, seconds, spelling, ...")
    parser.add_argument("--margins", type=margin, nargs="+", default=[], metavar="METRIC=NUMBER",
                        help="worse by less counts as equal, in the unit of the metric: judge=0.02")
    parser.add_argument("--style", choices=("icml", "neurips", "nature", "slides"), default="icml",
                        help="sizes and text of the figures")


def margin(text: str) -> tuple[str, float]:
    """METRIC=NUMBER, as an option."""
    name, _, amount = text.rpartition("=")
    if not name.strip():
        raise ArgumentTypeError(f"{text[:60]!r} must be METRIC=NUMBER, such as judge=0.02")
    return name, number(0, 1e9, above=True)(amount)


def report(options: Namespace) -> tuple[dict, int]:
    try:
        from reports.build import build
        from reports.view import View, labels_of
    except ImportError as error:
        raise ValueError(f"the report needs {error.name or 'a package'}, which is not installed: the records are "
                         "safe; install it and run `ssmd-bench report`") from None
    given = {"arms": [], "metrics": [], "labels": None, "columns": [], "margins": [], "style": "icml"} | vars(options)
    labels = labels_of(given["labels"]) if given["labels"] else {}
    called = labels.get("metrics", {})
    seen = View(given["arms"], given["metrics"], labels, [called.get(column, column) for column in given["columns"]],
                {called.get(name, name): amount for name, amount in given["margins"]})
    words = [word for name in ("arms", "metrics", "columns") if given[name] for word in (f"--{name}", *given[name])]
    if given["margins"]:
        words += ["--margins", *(f"{name}={amount:g}" for name, amount in given["margins"])]
    words += [word for name in ("labels", "style") if given[name] not in (None, "icml")
              for word in (f"--{name}", str(given[name]))]
    return {"report": str(build(options.runs, options.out, view=seen, form=given["style"], words=words))}, 0


VERBS = (
    Verb("report", READ, "render a report from records alone",
         "ssmd-bench report runs/demo --out runs/demo/report", _report_options, report),
)
