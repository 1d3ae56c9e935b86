"""The command: tests/golden/__init__.py says how it is used."""

import argparse
import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

from harness.boundary.ending import guarded, working  # noqa: E402


def main(words: list[str] | None = None) -> int:
    """0 where the file says what the code does or was rewritten, else 1. Raises ValueError for a refusal."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description="compares every probe with the file")
    parser.add_argument("--write", action="store_true", help="rewrite the file with what the present code gives")
    parser.add_argument("--machine", action="store_true", help="with --write: no sampler changed, only floats differ")
    parser.add_argument("--file", type=Path, help="another file than tests/golden/probes.json")
    options = parser.parse_args(words)
    if options.machine and not options.write:
        raise ValueError("--machine says why the file is rewritten: give --write with it, or leave it out")

    from tests.golden import kept
    from tests.golden.cells import PROBES
    from tests.golden.draw import drawn

    working()
    path = options.file or kept.FILE
    old = kept.load(path) if path.exists() or not options.write else kept.Probes(kept.TOYS, {})
    now = {probe.name: kept.kept(probe, drawn(probe)) for probe in PROBES}
    found = kept.changes(old, now)
    if not options.write:
        for change in found:
            print(change.sentence)
        print(f"{len(now) - len([c for c in found if c.what != ('gone',)])} of {len(now)} probes are as the file says")
        return 1 if found else 0
    reason = kept.refused(found)
    if reason and not options.machine:
        raise ValueError(reason)
    for line in kept.summary(found):
        print(line)
    kept.save(now, path)
    print(f"{path}: {len(now)} probes, {len(found)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(guarded("tests.golden", main))
