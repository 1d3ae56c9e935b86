"""All of it from nothing, one command after another: data, networks, then every study that a claim is of.

    python -m studies         says what would run
    python -m studies --go    runs it: on two cores a matter of days; what is finished is found finished, so that the
                              same command goes on after a kill

Networks are trained in one cosine cycle of 36 M tokens (the shipped ones in two, see their cards), are written under
runs/ and take the place of the shipped ones; the numbers will be near the published ones and not equal (text8, on which
the judge that ships was trained too, is not fetched). Each study is run by the command that its claims name, and writes
them to its claims.json.
"""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.boundary.ending import guarded, working
from harness.claims.claim import RESULTS, files, rows_of
from ssmd.train.family import SHIPPED

# folder of the shipped -> where it is trained
FAMILIES = {"": "runs/family", "potts": "runs/potts_family", "protein": "runs/protein_family",
            "prose": "runs/prose_family"}
DATA = ["ssmd-bench data proteins --out runs/proteins.npz --threads 2"]
TRAINING = ["ssmd-bench train family --compile --jobs 2 --tokens 36e6 --out runs/family",
            *(f"ssmd-bench train family --recipe studies/{name}_frontier --compile --jobs 2 --out {FAMILIES[name]}"
              for name in ("potts", "protein", "prose")),
            "ssmd-bench train family --recipe studies/causal_part --init ssmd/checkpoints/heavy.safetensors "
            "--compile --jobs 2 --out runs/causal_part",
            *(f"ssmd-bench train {member} --recipe studies/second_seed --compile --out runs/second_seed"
              for member in ("first", "heavy --init runs/second_seed/first/first.safetensors", "hybrid_frozen",
                             "hybrid_frozen_long"))]
FIRST = ["ssmd-bench grid studies/demo --net heavy --out studies/time_grids/grids.json",  # that time_grids samples by
         # trains the networks that its sweep claims
         "ssmd-bench run studies/noise_schedule --only held_out --out runs/noise_schedule"]


def claimed(results: Path = RESULTS) -> list[str]:
    """The commands that the claims name, each once."""
    return list(dict.fromkeys(row["command"] for path in files(results) for row in rows_of(path)))


def plan() -> list[str]:
    return [*DATA, *TRAINING, *FIRST, *claimed()]


def put_in_place(shipped: Path = SHIPPED) -> list[Path]:
    """Finished networks, where the studies look for them."""
    found = []
    for folder, trained in FAMILIES.items():
        for path in sorted(Path(trained).glob("*/*.safetensors")):
            if path.stem == path.parent.name:
                (shipped / folder).mkdir(parents=True, exist_ok=True)
                found += [Path(shutil.copy(path.with_suffix(end), shipped / folder))
                          for end in (".safetensors", ".json")]
    return found


def main(words: Sequence[str]) -> int:
    if unknown := [word for word in words if word != "--go"]:
        raise ValueError(f"{unknown[0]!r} is no option here: --go runs what `python -m studies` lists")
    working()
    commands = plan()
    for k, command in enumerate(commands):
        print(f"[{k + 1}/{len(commands)}] {command}", flush=True)
        if "--go" in words:
            head, *rest = shlex.split(command)
            program = {"make": ["make"], "python": [sys.executable]}.get(head,
                                                                         [sys.executable, "-m",
                                                                          {"ssmd-bench": "ssmd_bench"}.get(head, head)])
            code = subprocess.run([*program, *rest]).returncode
            if code:
                print(f"it ended with code {code}: see above; the same command goes on from here", file=sys.stderr)
                return code
            if " train " in command:
                put_in_place()
    return 0


if __name__ == "__main__":
    sys.exit(guarded("studies", lambda: main(sys.argv[1:])))
