"""The command: studies/gpu/__init__.py says what it does, docs/gpu.md how its results are read."""

import argparse
import json
import sys
from pathlib import Path

from harness.boundary.ending import guarded, working
from studies.gpu.plan import FILES, LARGEST, RESULTS, STEPS, Ask, table

MOSES = Path("runs/moses.npz")


def options(words: list[str] | None) -> argparse.Namespace:
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(prog="python -m studies.gpu", description="a rented quarter of an hour on a GPU")
    parser.add_argument("--minutes", type=float, default=14.0, help="of all steps together")
    parser.add_argument("--out", type=Path, help="folder of all results; one that is there is gone on with")
    parser.add_argument("--resume", type=Path, help="the same, but refused if there is nothing to go on with")
    parser.add_argument("--moses", type=Path, help=f"molecules to train on; {MOSES} if it is there")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--scale", type=float, default=1.0, help="of the work, 0.001 for a rehearsal on a CPU")
    parser.add_argument("--only", nargs="+", choices=names, metavar="STEP", help=", ".join(names))
    parser.add_argument("--start", choices=("fork", "spawn"), default="fork", help="how processes of steps are made")
    parser.add_argument("--dry-run", action="store_true", help="print the plan")
    for trick in ("--fail", "--hang"):
        parser.add_argument(trick, choices=names, default="", help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """0 if every step was done or skipped, else 1. Raises ValueError for what cannot be used."""
    asked = options(words)
    if not 0 < asked.minutes <= 24 * 60 or not 0 < asked.scale <= 1:
        raise ValueError("--minutes must be above 0 and at most a day, --scale above 0 and at most 1")
    steps = tuple(step for step in STEPS if not asked.only or step.name in asked.only)
    if asked.dry_run:
        print("\n".join(table(steps, asked.minutes)))
        print(f"at most {FILES} files of at most {LARGEST // 2**20} MiB")
        return 0
    out = asked.resume or asked.out
    if out is None or (asked.resume and asked.out):
        raise ValueError("give --out DIR for a new quarter, or --resume DIR to go on with one")
    if asked.resume and not (out / RESULTS).is_file():
        raise ValueError(f"{out} holds no {RESULTS} to go on with: give --out {out} to begin")
    if asked.moses and not asked.moses.is_file():
        raise ValueError(f"there is no file {asked.moses}: build it with `ssmd-bench data moses --out FILE`, or leave "
                         "--moses out")
    from studies.gpu.runner import run

    working()
    moses = asked.moses or (MOSES if MOSES.is_file() else None)
    ended = run(steps, asked.minutes, Ask(asked.device, asked.scale, out.resolve(), moses and moses.resolve()),
                asked.start, asked.fail, asked.hang)
    print(json.dumps(ended))
    return 0 if {*ended.values()} <= {"done", "skipped"} else 1


if __name__ == "__main__":
    sys.exit(guarded("studies.gpu", main))
