"""Rows of stored cells sampled by the sources of an older commit and by those that run now, both on this machine.

Where rows differ from what is stored, the machine may be why: another processor or another torch rounds otherwise. Equal to the bit between the two
sources, the change of code is proven, and the difference is the machine's. The older sources stand in a git worktree of their own, which is removed.

    python -m harness.run.against     in a tree: a question on stdin, {"study", "run", "cells": {key: [row, ...]}}; a line for each cell on stdout
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.run.prove import Look
from harness.run.trees import Tree, trees
from harness.spec import ROOT


def settled_by(commit: str, study: str, run: Path, looked_at: Sequence[Look]) -> Iterator[tuple[str, bool]]:
    """(key, whether the rows are equal to the bit) of cells that were looked at, for the same rows. Raises ValueError if the commit cannot be asked."""
    question: dict[str, Any] = {"study": "", "run": str(run.resolve()), "cells": {found.key: found.rows.tolist() for found in looked_at}}
    networks = [str(path.relative_to(ROOT)) for path in (ROOT / "ssmd" / "checkpoints").rglob("*.safetensors")]
    with trees(commit, ".", study, networks) as (old, new):
        before, now = (_asked(tree, question | {"study": tree.study}) for tree in (old, new))
    for found in looked_at:
        yield found.key, before.get(found.key, ()) == now.get(found.key)


def _asked(tree: Tree, question: dict) -> dict[str, Any]:
    module = "harness.run.against" if (tree.folder / "harness/run/against.py").exists() else "harness.against"    # where it stood before
    done = subprocess.run([sys.executable, "-m", module], input=json.dumps(question), cwd=tree.folder, env=tree.environment(), capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ValueError(f"{tree} cannot sample these rows ({why[:200]}): give a commit that has `ssmd-bench prove` and reads this run")
    return {found["key"]: found["rows"] for found in map(json.loads, done.stdout.splitlines())}


def answer(question: dict) -> Iterator[dict]:
    """Digest of the tokens, costs and counts of the rows of each cell."""
    from harness.records.arrays import row_digests
    from harness.records.store import Store
    from harness.run import shard
    from harness.run.count import cost_of, sampled
    from harness.run.recorded_cell import cell_of
    from harness.study import load_study

    study, counted = load_study(question["study"]), Store(Path(question["run"])).latest("counted", "key")
    for key, ids in question["cells"].items():
        cell = cell_of(counted[(key,)], study)
        if cell is None:
            raise ValueError(f"{question['study']} of this commit makes no cell {key}")
        ledger, tokens = sampled(cell, np.array(ids))
        yield {"key": key, "rows": [row_digests(tokens).tolist(), cost_of(ledger, cell)[1].tolist(), shard.counts(ledger)[1].tolist()]}


if __name__ == "__main__":
    for line in answer(json.load(sys.stdin)):
        print(json.dumps(line), flush=True)
