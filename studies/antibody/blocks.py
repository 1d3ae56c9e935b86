"""The blocks of the study, trained two at a time, each resumable: the same command goes on from where it was.

    python -m studies.antibody.blocks --jobs 2

What it reads is made by `studies.antibody.prepare` and `studies.antibody.written`. Some 80 minutes on two
cores with bfloat16 products.
"""

import sys
from pathlib import Path

from harness.boundary.arguments import JOBS, Parser, whole
from harness.boundary.ending import guarded, working
from harness.data.residues import AMINO
from ssmd.train.family import queue
from ssmd.train.settings import Training

CHAINS, WRITTEN, OUT = "runs/chains.fasta", "runs/written.fasta", "runs/blocks"
ALL = {"tokens": "1.5e6", "heads": "8", "warmup": "40", "batch": "16", "given": "0.1"}
OWN: dict[str, dict[str, str]] = {    # what each has in its own way
    "s1": {}, "blind": {"blind": "True"}, "taught": {"taught": "2"}, "s2": {"seed": "2"},
    "known": {"path": WRITTEN}, "short": {"tokens": "375e3"}, "tiny": {"tokens": "94e3"},
    "own": {"data": "self"},
    "blind2": {"blind": "True", "seed": "2"}, "known2": {"path": WRITTEN, "seed": "2"},
    "own2": {"data": "self", "seed": "2"},
}
ROWS = "1024"    # that the network writes for `own`, 2 s of one core each

BLOCKS = tuple(OWN)


def command(name: str) -> list[str]:
    """The words of `ssmd-bench attach` behind the program."""
    settings = ALL | OWN[name]
    path, tokens, data = settings.pop("path", CHAINS), settings.pop("tokens"), settings.pop("data", "fasta")
    read = ["--data", data] if data == "fasta" else ["--data", data, "--prompts", "fasta", "--rows", ROWS]
    sets = [word for field, value in settings.items() for word in ("--set", f"{field}={value}")]
    return ["-m", "ssmd_bench", "attach", "runs/antiberty", *read, "--path", path, "--length", "120", "--take",
            f"tokens={AMINO}", "--tokens", tokens, "--threads", "1", *sets, "--out", f"{OUT}/{name}"]


def main(given: list[str] | None = None) -> int:
    parser = Parser(prog="python -m studies.antibody.blocks", description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=whole(1, JOBS), default=2)
    options = parser.parse_args(given)
    working()
    return min(1, queue(dict.fromkeys(OWN, Training()), command, options.jobs, Path(OUT)))


if __name__ == "__main__":
    sys.exit(guarded("studies.antibody.blocks", main))
