"""The command: tests/fuzz/__init__.py says how it is used."""

import argparse
import gc
import importlib
import json
import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"    # a process with threads cannot be forked
LOADED = (
    "harness.__main__", "harness.cli.verbs", "harness.cli._listing", "harness.run.runner", "harness.nets.absent",
    "harness.claims.standing", "harness.search.worker", "harness.metrics.mauve", "reports.build",
    "ssmd.train.dry_run",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz",
        description="bad inputs for the command line, made by a seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--n", type=int, default=1300, help="inputs, all different")
    parser.add_argument("--jobs", type=int, default=1, help="side by side")
    parser.add_argument("--only", action="append", default=[], metavar="KIND")
    parser.add_argument("--show", type=Path, metavar="FILE", help="write every failure there, by its place")
    parser.add_argument("--claims", action="store_true", help="write the claim bad_input.tracebacks")
    options = parser.parse_args()

    for module in LOADED:
        importlib.import_module(module)
    from tests.fuzz import driver, table
    from tests.fuzz.outcome import BARE, GOOD

    gc.collect()
    gc.freeze()

    def show(found: list) -> None:
        if options.show:
            options.show.write_text(f"seed {options.seed}, {len(found)} inputs so far\n{table.report(found)}")

    found = driver.run(options.seed, options.n, options.jobs, options.only, show)
    bad = [f for f in found if f.outcome not in GOOD]
    show(found)
    document = {"seed": options.seed, "inputs": len(found),
        "tracebacks": sum(f.outcome in BARE for f in found), "failed": len(bad), "kinds": table.counts(found)}
    if options.claims:
        from tests.fuzz.claim import write

        document["claims"] = str(write(found, options.seed))
    for f in bad:
        print(f"{f.outcome:<10} {f.kind}-{f.number} {f.place} {f.detail[:150]!a}")
    print(json.dumps(document))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
