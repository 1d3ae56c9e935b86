"""Rows of stored cells sampled by the sources of an older commit and by those that run now, both on this machine.

Where rows differ from what is stored, the machine may be why: another processor or another torch rounds otherwise.
Equal to the bit between the two sources, the change of code is proven, and the difference is the machine's. The older
sources stand in a git worktree of their own, which is removed; they may be older than `ssmd-bench prove`
(harness/run/side.py). Both sample without torch.compile. A cell that the study of either commit does not have is left
open.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from harness import plugins
from harness.run.process import Process
from harness.run.prove import Look
from harness.run.trees import Tree, home_of, trees
from harness.spec import ROOT, brief


def settled_by(commit: str, study: str, looked_at: Sequence[tuple[Look, Mapping]], reads: Sequence[str] = (),
               last: Mapping[str, Mapping | None] | None = None) -> Iterator[tuple[str, bool | None]]:
    """(key, whether the same rows are equal to the bit) of cells that were looked at, with their records; None where
    that cannot be asked: of a cell that one of the trees does not have in these settings, or of a commit whose sources
    are not those that `last` names for it. reads: the files that the study's settings name, networks and data.

    Raises ValueError if the commit cannot be asked at all.
    """
    with trees(commit, ".", study, _ignored(study, reads)) as (old, new):
        before, now = _asked(old, looked_at, last), _asked(new, looked_at, None)
    for found, _ in looked_at:
        then, here = before.get(found.key), now.get(found.key)
        yield found.key, None if then is None or here is None else then == here


def _ignored(study: str, reads: Sequence[str]) -> list[str]:
    """Files that a worktree of a commit may lack: what the study reads, and our own networks, in its repository."""
    home = home_of(Path(study).resolve())[0]
    ours = (ROOT / "ssmd" / "checkpoints").rglob("*.safetensors") if home == ROOT else ()
    files = (Path(os.path.abspath(name)) for name in (*reads, *ours))
    return sorted({str(path.relative_to(home)) for path in files if path.is_relative_to(home)})


def _asked(tree: Tree, looked_at: Sequence[tuple[Look, Mapping]], last: Mapping[str, Mapping | None] | None
           ) -> dict[str, Any]:
    """By key, what the rows of each cell are in a tree that has it."""
    answers: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory(prefix="ssmd-against-") as scratch,
        closing(Process(tree, Path(scratch) / tree.name)) as process,
    ):
        process.ask("load", study=str(tree.folder / tree.study), only=[], plugins=plugins.packages(), rows=None,
                    device="cpu")
        about = process.answer()
        if "error" in about:
            raise ValueError(f"{tree} cannot load the study: {about['error']}")
        for found, record in looked_at:
            cell, settings = record["cell"], f"{record['arm']}: {brief(record['cell']['sampler'])}"
            made = about["cells"].get(settings, {}).get("made")
            if last is not None and not _same(made, last.get(found.key)):
                continue
            process.ask("drawn", cell=settings, ids=found.rows.tolist(), n=cell["n"], seed=cell["seed"])
            rows = process.answer()
            if "error" not in rows and rows.pop("key") == found.key:
                answers[found.key] = rows
    return answers


def _same(made: Mapping | None, last: Mapping | None) -> bool:
    """Whether a cell of a tree is of the sources that a record or a proof names."""
    return made is not None and last is not None and all(made.get(name) == last.get(name)
                                                         for name in ("tree", "modules"))
