"""The verb `rescore`: what a run has stored, scored again or by other metrics."""

import re
import sys
from argparse import Namespace
from dataclasses import MISSING, fields

from harness.boundary.arguments import JOBS, READ, Parser, Verb, path, whole, word
from harness.boundary.ending import NOTHING


def _rescore_options(parser: Parser) -> None:
    parser.add_argument("run", type=path)
    parser.add_argument("--metric", action="append", type=word, default=[], metavar="NAME",
                        help="in place of the metrics of its study")
    parser.add_argument("--jobs", type=whole(1, JOBS), default=1, help="cells scored side by side")
    parser.add_argument("--backend", choices=("loky", "dask", "ray"), default="loky")
    parser.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes",
                        help="a field of those metrics")


def rescore(options: Namespace) -> tuple[dict, int]:
    """Score what a run has stored: with the metrics of its study, or with others. No sampler and no network of the
    study is needed.
    """
    from harness.cli._options import opened, why_unscored
    from harness.run.companions import companions
    from harness.run.scoring import score_records
    from harness.spec import from_json

    store = opened(options.run)
    store.work()    # samples and scores are of a run folder
    about = next((r for r in reversed(store.of("study")) if r.get("data")), None)
    if about is None:
        raise ValueError(f"{options.run} does not say what its data are: run its study again, which scores what is "
                         "stored")
    if options.changes and not options.metric:
        raise ValueError("--set changes a field of the metrics that --metric names, and none is named: add --metric "
                         "NAME, or leave --set out")
    own, rows = [from_json("score", m) for m in about["metrics"]], from_json("rows", about["data"])
    metrics = [_metric(name, options.changes) for name in options.metric] or [*own, *companions(own, rows)]
    records = [r for r in store.latest("counted", "key").values() if r["study"] == about["name"]]
    if waiting := {r["key"] for r in store.of("shard") if r["study"] == about["name"]} - {r["key"] for r in records}:
        whole = re.sub(r" --shard[ =]\S+", "", about["command"])
        alone = (f"{len(waiting)} cells of {options.run} are in shards that are not united, and have no score: unite "
                 f"them with `{whole}`, which scores them too")
        if not records:
            raise ValueError(alone)
        print(alone)
    for metric in metrics:
        if unfit := getattr(rows, "unfit", lambda metric: "")(metric):
            raise ValueError(unfit)
    tally = score_records(metrics, rows, store, records, own, options.jobs, options.backend)
    document = {"run": str(options.run), "metrics": [m.name for m in metrics], **tally}
    if tally["unscored"]:
        return document | {"reasons": why_unscored(store, tally)}, 3
    if not any(r["status"] == "done" for r in records):
        print(f"ssmd-bench: {options.run} has no finished cell to score: run its study first", file=sys.stderr)
        return document, NOTHING
    return document, 0


def _metric(name: str, changes: list[str]):
    """A metric by its name; fields without a default are taken from the changes as text."""
    from harness import plugins
    from harness.cli._options import changed
    from harness.spec import from_json

    cls = plugins.metrics().get(name)
    required = [f.name for f in fields(cls) if f.default is MISSING] if cls else []
    given = {path: text for path, _, text in (change.partition("=") for change in changes) if path in required}
    return changed(from_json("score", {"name": name} | given), [c for c in changes if c.partition("=")[0] not in given])


VERBS = (
    Verb("rescore", READ, "score what a run has stored, with its own metrics or with others; nothing is sampled",
         "ssmd-bench rescore runs/demo --metric ngram", _rescore_options, rescore),
)
