"""The verbs that search: `sweep`, among the settings of one arm, and `grid`, among time grids of a network."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from harness.boundary.arguments import JOBS, MEASURE, TRIALS, Parser, Verb, path, whole, word
from harness.boundary.fields import ROWS, SEEDS


def _sweep_options(parser: Parser) -> None:
    parser.add_argument("study", type=word, help="a study file with SWEEP = Sweep(...)")
    parser.add_argument("--out", type=path, help="run folder (default runs/NAME), shared by all workers")
    parser.add_argument("--trials", type=whole(1, TRIALS), help="in all")
    parser.add_argument("--n", type=whole(1, ROWS), help="rows of the last look")
    parser.add_argument("--seed", type=whole(0, SEEDS - 1), help="of the search")
    parser.add_argument("--jobs", type=whole(1, JOBS), default=1, help="workers on this machine")
    parser.add_argument("--storage", type=word, metavar="URL",
                        help="sqlite:///FILE, postgresql://..., grpc://HOST:PORT (default OUT/sweep.journal)")
    parser.add_argument("--device", type=word, default="cpu")
    parser.add_argument("--compile", action="store_true", help="the networks' blocks by torch.compile")
    parser.add_argument("--claims", action="store_true", help="write what the sweep found to studies/NAME/claims.json")


def sweep(options: Namespace) -> tuple[dict, int]:
    from harness import plugins
    from harness.boundary.addresses import command as typed
    from harness.cli import _user_code as user_code
    from harness.nets.device import can_compile
    from harness.records import inert
    from harness.records.store import Store
    from harness.search.front import table
    from harness.search.sweep import load_sweep
    from harness.search.worker import alongside
    from harness.search.worker import sweep as search

    if options.claims:
        user_code.claiming(options.study)
    found, command = load_sweep(options.study, options.n, can_compile(options.compile), trials=options.trials,
                                seed=options.seed), typed(["ssmd-bench", *sys.argv[1:]])
    folder = options.out or Path("runs") / found.study.name
    words = [*(w for p in plugins.packages() for w in ("--plugins", p)), "sweep", options.study, "--out", str(folder),
             "--device", options.device, "--trials", str(found.trials),
             "--n", str(found.study.n), "--seed", str(found.seed),
             *(["--storage", options.storage] if options.storage else []), *(["--compile"] if options.compile else []),
             *(["--quiet"] if "quiet" in options else [])]
    with alongside(found, words, options.jobs):
        document = search(found, folder, options.storage or "", options.device, command)
    print(table(found, document["front"]))
    print(f"each trial in a browser: pip install optuna-dashboard, then optuna-dashboard {folder / 'sweep.journal'}")
    for line in inert.said(Store(folder)):
        print(f"ssmd-bench: {line}", file=sys.stderr)
    if options.claims:
        document["claims"] = str(user_code.kept_claims(options.study, found.study.name, Store(folder), command))
    return {"run": str(folder), **document}, 3 if document["failed"] else 0


def _grid_options(parser: Parser) -> None:
    parser.add_argument("study", type=word)
    parser.add_argument("--net", type=word, help="of the study (default: its reference)")
    parser.add_argument("--steps", type=whole(1, 4096), nargs="+", default=[8, 16, 32])
    parser.add_argument("--rows", type=whole(1, ROWS), default=64)
    parser.add_argument("--seed", type=whole(0, SEEDS - 1), default=0)
    parser.add_argument("--device", type=word, default="cpu")
    parser.add_argument("--out", type=path, required=True, metavar="FILE",
                        help="JSON; harness.search.time_grid.read makes schedules of it")


def grid(options: Namespace) -> tuple[dict, int]:
    """Both searches at every number of steps, as {"net", "data", "rows", "seed", "grids": [{"by", "steps", "alphas",
    "passes"}]}; harness/search/time_grid.py.
    """
    from harness.boundary.nearest import meant
    from harness.nets.device import checked
    from harness.search.time_grid import SEARCHES, write
    from harness.study import load_study

    study, name = load_study(options.study), options.net
    name = name or study.reference
    if name not in study.nets:
        raise ValueError(f"the study {study.name} has no network {name!r}; choose "
                         f"{', '.join(study.nets)}{meant(name, study.nets)}")
    net: Any = study.nets[name].load(checked(options.device))
    rows = study.data.rows("validation", options.rows, options.seed).to(options.device)
    found = []
    for by, search in SEARCHES.items():
        for steps, (alphas, passes) in search(net, rows, sorted({*options.steps}), seed=options.seed).items():
            found.append({"by": by, "steps": steps, "alphas": list(alphas), "passes": passes})
            print(f"{by:<16} {steps:>4} steps  {passes:>8} passes  {' '.join(f'{a:.3f}' for a in alphas)}", flush=True)
    write(options.out, {"net": {"name": name, "sha256": net.sha256}, "data": study.data.identity(),
                        "rows": options.rows, "seed": options.seed, "grids": found})
    return {"grids": str(options.out)}, 0


VERBS = (
    Verb("sweep", MEASURE,
         "search the settings of one arm for those that no other beats; the same command goes on, or adds a worker",
         "ssmd-bench sweep studies/sweep_smoke --out runs/sweep --jobs 2", _sweep_options, sweep),
    Verb("grid", MEASURE,
         "search time grids for a network of a study, on its validation text, and say what the search cost",
         "ssmd-bench grid studies/demo --steps 8 16 --out runs/grids.json", _grid_options, grid),
)
