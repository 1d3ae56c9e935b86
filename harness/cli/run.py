"""The verb `run`: a study counted, timed and scored."""

import sys
from argparse import Namespace
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.boundary.arguments import JOBS, MEASURE, Parser, Verb, path, whole, word
from harness.boundary.ending import NOTHING
from harness.boundary.fields import BATCH, ROWS, SEEDS

if TYPE_CHECKING:    # loads torch
    from harness.study import Study


def _run_options(parser: Parser) -> None:
    parser.add_argument("study", type=word)
    parser.add_argument("--out", type=path, help="run folder (default runs/NAME)")
    parser.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes",
                        help="a field of every sampler, e.g. window.delta=0.04")
    parser.add_argument("--only", action="append", type=word, default=[], metavar="ARM")
    parser.add_argument("--prompts", type=path, metavar="FILE",
                        help="texts to go on from, a line each or FASTA; _ is a token to be written")
    parser.add_argument("--n", type=whole(1, ROWS), help="rows a cell")
    parser.add_argument("--batch", type=whole(1, BATCH), help="rows side by side")
    parser.add_argument("--seed", type=whole(0, SEEDS - 1), help="of every draw")
    parser.add_argument("--device", type=word, default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"),
                        help="of the networks' passes; draws are float64 in any case")
    parser.add_argument("--compile", action="store_true",
                        help="the networks' blocks by torch.compile: faster, equal up to rounding, and other cells")
    parser.add_argument("--jobs", type=whole(1, JOBS), default=1, help="cells counted and scored side by side")
    parser.add_argument("--backend", choices=("loky", "dask", "ray"), default="loky",
                        help="where: processes of this machine, or a cluster (harness/run/backend.py)")
    parser.add_argument("--shard", type=word, metavar="K/N",
                        help="count the K-th of N stretches of rows alone; a run without --shard unites them")
    parser.add_argument("--no-time", action="store_true", help="leave the timed runs out")
    parser.add_argument("--time-again", action="store_true",
                        help="time cells that are timed: times belong to the commit that was timed")
    parser.add_argument("--measure-again", action="store_true",
                        help="compute the study's own tables anew, which belong to the commit that measured them")
    parser.add_argument("--report", type=path, metavar="DIR", help="write the report there")
    parser.add_argument("--claims", action="store_true", help="write what the study found to studies/NAME/claims.json")


def present(study: "Study") -> tuple["Study", str]:
    """The study without the arms and networks whose files left the tree and were not brought back, and a sentence that
    names them; the study as it is, and no sentence, where nothing is absent.

    Raises ValueError if its reference network is absent, or every arm that samples would be left out.
    """
    from harness.nets.absent import lacking, way_back
    from harness.study import Checkpoint

    absent = {name: entry for name, source in study.nets.items()
              if isinstance(source, Checkpoint) and (entry := lacking(Path(source.path)))}
    if not absent:
        return study, ""
    sampling = [arm for arm in study.arms if not all(hasattr(point, "control") for point in arm.points)]
    without = [arm for arm in sampling if absent.keys() & {*arm.nets.values()}]
    if study.reference in absent or len(without) == len(sampling):
        raise ValueError(f"the study {study.name} needs networks that the tree does not hold: "
                         f"{way_back([*absent.values()])}")
    nets = {name: source for name, source in study.nets.items() if name not in absent}
    said = (
        f"left out for want of a network: {', '.join(arm.name for arm in without)}; {way_back([*absent.values()])}"
        if without
        else ""
    )
    return replace(study, arms=[arm for arm in study.arms if arm not in without], nets=nets), said


def run(options: Namespace) -> tuple[dict, int]:
    from harness.boundary.addresses import command as typed
    from harness.cli import _user_code as user_code
    from harness.cli import verbs
    from harness.cli._options import changed, prompted, why_unscored
    from harness.data.blanks import Blanks
    from harness.nets.device import can_compile, entered
    from harness.records import inert, measured
    from harness.records.store import Store
    from harness.run import finished
    from harness.run.cell import cells_of
    from harness.run.runner import run as run_study
    from harness.run.shard import WHOLE
    from harness.run.shard import parse as parse_shard
    from harness.study import chosen, each_sampler, load_study

    study = load_study(options.study, n=options.n, batch=options.batch, seed=options.seed, dtype=options.dtype,
                       compiled=can_compile(options.compile) or None)
    if options.prompts:
        study = prompted(study, Blanks(study.data, str(options.prompts)))
    entered(options.device)
    study, left_out = present(chosen(study, options.only))
    if options.prompts and options.claims:
        raise ValueError("claims are of the study as it stands: leave --prompts or --claims out")
    if left_out and options.claims:
        raise ValueError(f"claims are of the whole study: leave --claims out, or bring back what would be {left_out}")
    if left_out:
        print(f"ssmd-bench: {left_out}", file=sys.stderr)
    for change in options.changes:
        study = each_sampler(study, partial(changed, changes=[change]))
    measure = user_code.function(options.study, "measure", "(study, store)")
    if options.claims:
        user_code.claiming(options.study)
    folder = options.out or Path("runs") / study.name
    part = parse_shard(options.shard) if options.shard else WHOLE
    if part != WHOLE and (options.claims or options.report):
        raise ValueError("a shard makes no claims and no report: unite the shards first, by the same command without "
                         "--shard")
    begun = finished.begin(options, study)
    asks = "variant" if options.changes or options.prompts else "chosen" if options.only or left_out else "all"
    command = typed(["ssmd-bench", *sys.argv[1:]])
    if options.measure_again:
        measured.again()
    tally = run_study(study, folder, options.device, options.jobs, not options.no_time, command, options.backend, part,
                      asks, options.time_again)
    for line in inert.said(Store(folder)):
        print(f"ssmd-bench: {line}", file=sys.stderr)
    document = {"run": str(folder), **({"shard": str(part)} if options.shard else {}), **tally}
    if tally["unscored"]:
        document["reasons"] = why_unscored(Store(folder), tally)
    if measure:
        document["measured"] = len(user_code.listed(measure(study, Store(folder)), f"measure() of {options.study}",
                                                    "the list of its records"))
    elif not left_out:    # what is brought back is to be run
        finished.keep(options, folder, study, begun, document)
    if options.claims:
        document["claims"] = str(user_code.kept_claims(options.study, study.name, Store(folder), command))
    if options.report:
        document |= verbs.find()["report"].work(Namespace(runs=[folder], out=options.report))[0]
        print(f"report: {document['report']}")
    if tally["failed"] + tally["timeout"] + tally["unscored"]:
        return document, 3
    samplers = sum(not cell.is_control for cell in cells_of(study, options.device))
    if samplers and tally["skipped"] == samplers:
        print(f"ssmd-bench: none of the {samplers} cells could run: the lines above say why", file=sys.stderr)
        return document, NOTHING
    return document, 0


VERBS = (
    Verb("run", MEASURE, "run a study: count, time, score; what is stored is not computed again",
         "ssmd-bench run studies/demo --out runs/demo --jobs 2 --report runs/demo/report", _run_options, run),
)
