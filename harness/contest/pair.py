"""The processes of a contest, one of each tree, that are asked for what they do (harness/contest/side.py).

Each is the leader of a session of its own, so that a signal of the terminal reaches them through us alone; it ends with
its standard input, should we be killed.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.contest import side as turns_side
from harness.run.trees import Tree, deaf


class Process:
    """A side at work. Raises ValueError, with the tree's own words, if it cannot do what it is asked for."""

    def __init__(self, tree: Tree, errors: Path):
        self.tree, self.errors = tree, errors
        with errors.open("w") as file:
            self.popen = subprocess.Popen(
                [sys.executable, "-P", str(Path(turns_side.__file__).resolve())],
                cwd=tree.place(),
                env=tree.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                start_new_session=True,
            )

    def ask(self, do: str, **settings: Any) -> None:
        try:
            self.popen.stdin.write(json.dumps({"do": do, **settings}) + "\n")    # type: ignore[union-attr]
            self.popen.stdin.flush()    # type: ignore[union-attr]
        except BrokenPipeError:
            pass    # it has ended, which the answer will show

    def answer(self) -> dict:
        line = self.popen.stdout.readline()    # type: ignore[union-attr]
        if line:
            return json.loads(line)
        said = " ".join(self.errors.read_text(errors="replace").split())[-300:]
        raise ValueError(
            f"the process of {self.tree} ended, code {self.popen.wait()}: "
            f"{said or 'it was killed, perhaps for want of memory'}"
        )

    def close(self) -> None:
        self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            try:
                pipe.close()    # type: ignore[union-attr]
            except BrokenPipeError:
                pass


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
