"""The trainings of studies/moses_left in their order; each is a resumable `ssmd-bench train`.

    python -m studies.moses_left.queue 65M        # 3M, 15M, 65M; all of them without a name
    python -m studies.moses_left.queue --dry-run  # the commands alone
"""

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

from harness.boundary.ending import guarded
from studies.moses_left.claims import ORDER
from studies.moses_left.family import OUT

RECIPE = ("--recipe", "studies/moses_left/family.py", "--compile", "--threads", "1")


class Cycle(NamedTuple):
    """One training."""

    folder: str        # under OUT
    member: str        # of the recipe
    tokens: float
    init: str = ""     # a folder and a member of it
    seed: int = 1

    def words(self) -> list[str]:
        """Of `ssmd-bench`."""
        words = ["train", self.member, *RECIPE, "--out", str(OUT / self.folder), "--tokens", f"{self.tokens:g}"]
        if self.init:
            words += ["--init", str(OUT / self.init / f"{self.init.rpartition('/')[2]}.safetensors")]
        return words + (["--set", f"seed={self.seed}"] if self.seed != 1 else [])


JUDGE = Cycle("high", "judge", 15e6)
FIRST = Cycle("high_first", "heavy", 15e6, "high/judge")
CYCLES = {
    "3M": [Cycle("middle", "judge", 4e6), Cycle("middle", "heavy", 3e6, "middle/judge"),
           Cycle("taught_3M", "hybrid_frozen", 3e6, "middle/heavy")],
    "15M": [JUDGE, FIRST, Cycle("taught_15M", "hybrid_frozen", 6e6, "high_first/heavy")],
    # two cycles more, each on rows that the one before did not begin with
    "65M": [JUDGE, FIRST, Cycle("high_second", "heavy", 20e6, "high_first/heavy", seed=2),
            Cycle("high", "heavy", 30e6, "high_second/heavy", seed=3),
            Cycle("taught", "hybrid_frozen", 10e6, "high/heavy")]}


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.moses_left.queue", description=__doc__.splitlines()[0])
    parser.add_argument("levels", nargs="*", metavar="LEVEL", help="3M, 15M, 65M (default: all)")
    parser.add_argument("--dry-run", action="store_true", help="print the commands alone")
    options = parser.parse_args(given)
    if unknown := {*options.levels} - {*ORDER}:
        parser.error(f"there is no level {min(unknown)}: give some of {', '.join(ORDER)}")
    for words in dict.fromkeys(tuple(c.words()) for level in options.levels or ORDER for c in CYCLES[level]):
        print(shlex.join(["ssmd-bench", *words]), flush=True)
        if not options.dry_run and (code := subprocess.run([sys.executable, "-m", "ssmd_bench", *words],
                                                           check=False).returncode):
            return code    # it has said why
    return 0


if __name__ == "__main__":
    sys.exit(guarded("studies.moses_left.queue", main))
