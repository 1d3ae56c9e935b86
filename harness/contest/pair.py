"""The processes of a contest, one of each tree, that are asked for what they do (harness/run/process.py)."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.run.process import Process
from harness.run.trees import Tree, deaf


@contextmanager
def pair(trees: tuple[Tree, Tree], settings: dict) -> Iterator[tuple[tuple[Process, Process], tuple[dict, dict]]]:
    """A fresh process of each tree with the study loaded by these settings, and what they say of it."""
    with tempfile.TemporaryDirectory(prefix="ssmd-contest-") as scratch:
        sides: list[Process] = []
        try:
            sides = [Process(tree, Path(scratch) / tree.name) for tree in trees]
            for side in sides:
                side.ask("load", study=str(side.tree.folder / side.tree.study), **settings)
            about = [side.answer() for side in sides]
            for side, found in zip(sides, about):
                if "error" in found:
                    raise ValueError(f"{side.tree} cannot load the study: {found['error']}")
            yield (sides[0], sides[1]), (about[0], about[1])
        finally:
            with deaf():
                for side in sides:
                    side.close()


def both(sides: Sequence[Process], do: str, **settings: Any) -> list[dict]:
    """The same request, side by side."""
    for side in sides:
        side.ask(do, **settings)
    return [side.answer() for side in sides]


def alone(side: Process, do: str, **settings: Any) -> dict:
    side.ask(do, **settings)
    return side.answer()
