"""What each verb of the command line does: options -> (JSON document, exit code). Tables for people go to stdout before it.

The command line alone may reach into rooms above the harness, and only when the verb needs them: imports stand inside the functions.
"""

import re
import sys
from argparse import Namespace
from dataclasses import MISSING, fields
from functools import partial
from pathlib import Path

from harness import plugins
from harness.boundary.addresses import command as typed
from harness.boundary.atomic import write_text
from harness.boundary.ending import NOTHING
from harness.boundary.incoming import read_text
from harness.boundary.nearest import meant
from harness.claims import claim as claims_of
from harness.cli import user_code
from harness.cli.contest import contest
from harness.cli.data import data, fasta
from harness.cli.kept import export, summarise, unpack
from harness.cli.nets import checkpoints, grid, score, train
from harness.cli.options import between_marks, changed, opened
from harness.cli.prove import prove
from harness.nets.device import can_compile
from harness.records import measured
from harness.records.machine import machine
from harness.records.places import is_zip
from harness.records.standing import PROVEN, REFUTED, UNPROVEN
from harness.records.store import Store
from harness.run import finished
from harness.run.cell import cells_of
from harness.run.companions import companions
from harness.run.present import present
from harness.run.runner import run as run_study
from harness.run.scoring import score_records
from harness.run.shard import WHOLE
from harness.run.shard import parse as parse_shard
from harness.spec import ROOT, from_json
from harness.study import chosen, each_sampler, load_study


def list_plugins(options: Namespace) -> tuple[dict, int]:
    from harness.cli.listing import listing, table

    document = listing()
    print("\n".join(table(document)))
    return document, 0


def run(options: Namespace) -> tuple[dict, int]:
    study = load_study(options.study, n=options.n, batch=options.batch, seed=options.seed, dtype=options.dtype, compiled=can_compile(options.compile) or None)
    study, left_out = present(chosen(study, options.only))
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
        raise ValueError("a shard makes no claims and no report: unite the shards first, by the same command without --shard")
    begun = finished.begin(options, study)
    asks = "variant" if options.changes else "chosen" if options.only or left_out else "all"
    command = typed(["ssmd-bench", *sys.argv[1:]])
    if options.measure_again:
        measured.again()
    tally = run_study(study, folder, options.device, options.jobs, not options.no_time, command, options.backend, part, asks, options.time_again)
    document = {"run": str(folder), **({"shard": str(part)} if options.shard else {}), **tally}
    if tally["unscored"]:
        document["reasons"] = _why_unscored(Store(folder), tally)
    if measure:
        document["measured"] = len(user_code.listed(measure(study, Store(folder)), f"measure() of {options.study}", "the list of its records"))
    elif not left_out:    # what is brought back is to be run
        finished.keep(options, folder, study, begun, document)
    if options.claims:
        document["claims"] = str(_claims(options.study, study.name, Store(folder)))
    if options.report:
        document["report"] = str(_build([folder], options.report))
        print(f"report: {document['report']}")
    if tally["failed"] + tally["timeout"] + tally["unscored"]:
        return document, 3
    samplers = sum(not cell.is_control for cell in cells_of(study, options.device))
    if samplers and tally["skipped"] == samplers:
        print(f"ssmd-bench: none of the {samplers} cells could run: the lines above say why", file=sys.stderr)
        return document, NOTHING
    return document, 0


def _why_unscored(store: Store, tally: dict) -> dict[str, str]:
    """Of each metric that failed in this run, why: its last scores are ours. It is said on stderr too."""
    newest = store.of("scored")[-tally["scored"] - tally["unscored"]:]
    reasons = {r["label"]: r["reason"] for r in newest if r["status"] == "failed"}
    for label, reason in reasons.items():
        print(f"ssmd-bench: {label} has no score: {reason}; the samples are kept, and the same command scores them again", file=sys.stderr)
    return reasons


def _claims(path: str, name: str, store: Store) -> Path:
    """Write what the study file claims of its run, and show it."""
    found = user_code.claiming(path)(store, typed(["ssmd-bench", *sys.argv[1:]]))
    rows = user_code.claimed(found, path)
    print(claims_of.table(rows))
    return claims_of.write(name, rows)


def sweep(options: Namespace) -> tuple[dict, int]:
    from harness.search.sweep import load_sweep
    from harness.search.worker import alongside, table
    from harness.search.worker import sweep as search

    if options.claims:
        user_code.claiming(options.study)
    found, command = load_sweep(options.study, options.n, can_compile(options.compile), trials=options.trials, seed=options.seed), typed(["ssmd-bench", *sys.argv[1:]])
    folder = options.out or Path("runs") / found.study.name
    words = [*(w for p in plugins.packages() for w in ("--plugins", p)), "sweep", options.study, "--out", str(folder), "--device", options.device, "--trials", str(found.trials),
             "--n", str(found.study.n), "--seed", str(found.seed), *(["--storage", options.storage] if options.storage else []), *(["--compile"] if options.compile else [])]
    with alongside(found, words, options.jobs):
        document = search(found, folder, options.storage or "", options.device, command)
    print(table(found, document["front"]))
    if options.claims:
        document["claims"] = str(_claims(options.study, found.study.name, Store(folder)))
    return {"run": str(folder), **document}, 3 if document["failed"] else 0


def rescore(options: Namespace) -> tuple[dict, int]:
    """Score what a run has stored: with the metrics of its study, or with others. No sampler and no network of the study is needed."""
    store = opened(options.run)
    store.work()    # samples and scores are of a run folder
    about = next((r for r in reversed(store.of("study")) if r.get("data")), None)
    if about is None:
        raise ValueError(f"{options.run} does not say what its data are: run its study again, which scores what is stored")
    if options.changes and not options.metric:
        raise ValueError("--set changes a field of the metrics that --metric names, and none is named: add --metric NAME, or leave --set out")
    own, rows = [from_json("score", m) for m in about["metrics"]], from_json("rows", about["data"])
    metrics = [_metric(name, options.changes) for name in options.metric] or [*own, *companions(own, rows)]
    records = [r for r in store.latest("counted", "key").values() if r["study"] == about["name"]]
    if waiting := {r["key"] for r in store.of("shard") if r["study"] == about["name"]} - {r["key"] for r in records}:
        whole = re.sub(r" --shard[ =]\S+", "", about["command"])
        alone = f"{len(waiting)} cells of {options.run} are in shards that are not united, and have no score: unite them with `{whole}`, which scores them too"
        if not records:
            raise ValueError(alone)
        print(alone)
    for metric in metrics:
        if unfit := getattr(rows, "unfit", lambda metric: "")(metric):
            raise ValueError(unfit)
    tally = score_records(metrics, rows, store, records, own, options.jobs, options.backend)
    document = {"run": str(options.run), "metrics": [m.name for m in metrics], **tally}
    if tally["unscored"]:
        return document | {"reasons": _why_unscored(store, tally)}, 3
    if not any(r["status"] == "done" for r in records):
        print(f"ssmd-bench: {options.run} has no finished cell to score: run its study first", file=sys.stderr)
        return document, NOTHING
    return document, 0


def _metric(name: str, changes: list[str]):
    """A metric by its name; fields without a default are taken from the changes as text."""
    cls = plugins.metrics().get(name)
    required = [f.name for f in fields(cls) if f.default is MISSING] if cls else []
    given = {path: text for path, _, text in (change.partition("=") for change in changes) if path in required}
    return changed(from_json("score", {"name": name} | given), [c for c in changes if c.partition("=")[0] not in given])


def _build(runs: list[Path], out: Path) -> Path:
    try:
        from reports.build import build
    except ImportError as error:
        raise ValueError(f"the report needs {error.name or 'a package'}, which is not installed: the records are safe; install it and run `ssmd-bench report`") from None
    return build(runs, out)


def report(options: Namespace) -> tuple[dict, int]:
    return {"report": str(_build(options.runs, options.out))}, 0


def compare(options: Namespace) -> tuple[dict, int]:
    from harness.checks import rules as compare_rules
    from harness.checks import side as compare_side
    from harness.checks import text as compare_text
    from harness.checks.gate import compare as gate

    rules = compare_rules.read(options.rules) if options.rules else compare_rules.Rules()
    base, new = (compare_side.expectations(path) if path.is_file() and not is_zip(path) else compare_side.side(opened(path, strict=True))
                 for path in (options.base, options.new))
    found = gate(base, new, rules)
    for path, text in ((options.junit, compare_text.junit), (options.markdown, compare_text.markdown)):
        if path:
            write_text(path, text(found))
    print(compare_text.table(found))
    return {"base": str(options.base), "new": str(options.new), **compare_text.document(found, options.json)}, found.code


def expect(options: Namespace) -> tuple[dict, int]:
    from harness.checks.expect import expect as keep

    return keep(opened(options.run, strict=True), options.write, options.changelog), 0


def verify(options: Namespace) -> tuple[dict, int]:
    from harness.checks.conformance import table, variants
    from harness.checks.conformance import verify as check

    known = plugins.samplers()
    if unknown := set(options.samplers) - set(known):
        name = sorted(unknown)[0]
        raise ValueError(f"there is no sampler {name!r}{meant(name, known) or '; choose ' + ', '.join(sorted(known))}")
    verdicts = []
    for name, cls in sorted(known.items()):
        if not options.samplers or name in options.samplers:
            try:
                verdicts += [check(variant) for variant in variants(cls())]
            except Exception as error:    # a sampler of one's own may raise whatever it likes
                raise ValueError(f"the sampler {name} cannot be verified ({type(error).__name__}: {error}): correct {plugins.origin(cls)}; every field needs a default") from error
    print(table(verdicts))
    if options.write:
        write_text(options.write, between_marks(options.write, "verify", table(verdicts)))
    return {"passed": sum(v.passed for v in verdicts), "failed": sum(not v.passed for v in verdicts)}, int(not all(v.passed for v in verdicts))


def claims(options: Namespace) -> tuple[dict, int]:
    from harness.claims.standing import lines, standings

    given = [f"--{name}" for name in ("rebuild", "fill", "refresh") if getattr(options, name)]
    others = (["names"] if options.names else []) + (["--write"] if options.write else [])
    if len(given) > 1 or given and set(others) - ({"--write"} if given == ["--fill"] else set()):
        raise ValueError(f"{' and '.join([*given, *others])} do not go together: give them in commands of their own")
    if options.rebuild:
        from harness.claims.rebuild import rebuild

        return rebuild(lambda text: print(text, file=sys.stderr, flush=True)), 0
    every = claims_of.read()
    if options.fill:
        if not options.write or not options.fill.is_file():
            raise ValueError(f"--fill takes a text that is there, not {options.fill}, and needs --write FILE beside it")
        write_text(options.write, claims_of.filled(read_text(options.fill, "give a text saved as UTF-8"), every))
        return {"written": str(options.write)}, 0
    if options.refresh:
        pages = {path: between_marks(path, "claims", claims_of.table(claims_of.again(path, every))) for path in options.refresh}
        for path, page in pages.items():    # all of them, or none
            write_text(path, page)
        return {"written": [str(path) for path in options.refresh]}, 0
    whole = {row["claim"] for row in every} & {*options.names}
    found = {name: [row for row in every if row["claim"] == name or (name not in whole and row["claim"].startswith(name))] for name in options.names or [""]}
    rows = list({row["claim"]: row for part in found.values() for row in part}.values())    # in the order of the names
    if options.names and not rows:
        raise ValueError(f"no claim begins with {' or '.join(options.names)}: `ssmd-bench claims` lists them all")
    print(claims_of.table(rows))
    if options.write:
        write_text(options.write, between_marks(options.write, "claims", claims_of.table(rows)))
        return {"claims": len(rows), "written": str(options.write)}, 0
    found_out = [*standings(rows)]
    print("\n".join(lines(found_out)))
    return {"claims": len(rows), **{word: [s.claim for s in found_out if s.word == word] for word in (PROVEN, UNPROVEN, REFUTED)}}, 0


def doctor(options: Namespace) -> tuple[dict, int]:
    from harness.nets.checkpoint import load

    about, troubles = machine(), []
    for _, cls in sorted(plugins.datasets().items()):
        try:
            if all(f.default is not MISSING and f.name != "path" for f in fields(cls)):    # others come by path
                cls().identity()
        except ValueError as error:
            troubles.append(str(error))
    for path in sorted((ROOT / "ssmd" / "checkpoints").glob("**/*.safetensors")):
        try:
            load(path)
        except ValueError as error:
            troubles.append(str(error))
    for key, value in about.items():
        print(f"{key:<14} {value}")
    print("\n".join(troubles) or "data and checkpoints are whole")
    return {"machine": about, "troubles": troubles}, 2 if troubles else 0


VERBS = {"list": list_plugins, "run": run, "sweep": sweep, "report": report, "summarise": summarise,
         "unpack": unpack, "export": export, "compare": compare, "contest": contest, "expect": expect,
         "score": score, "rescore": rescore, "prove": prove, "verify": verify, "grid": grid, "train": train,
         "checkpoints": checkpoints, "claims": claims, "doctor": doctor, "data": data, "fasta": fasta}
