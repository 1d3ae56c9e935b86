"""A process of a tree, which is asked for what it does (harness/run/side.py).

It is the leader of a session of its own, so that a signal of the terminal reaches it through us alone; it ends with its
standard input, should we be killed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.run import side
from harness.run.trees import Tree


class Process:
    """A side at work. Raises ValueError, with the tree's own words, if it cannot do what it is asked for."""

    def __init__(self, tree: Tree, errors: Path):
        self.tree, self.errors = tree, errors
        with errors.open("w") as file:
            self.popen = subprocess.Popen(
                [sys.executable, "-P", str(Path(side.__file__).resolve())],
                cwd=tree.place(),
                env=tree.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                start_new_session=True,
            )
        assert self.popen.stdin is not None and self.popen.stdout is not None    # as they are asked for
        self.told, self.said = self.popen.stdin, self.popen.stdout

    def ask(self, do: str, **settings: Any) -> None:
        try:
            self.told.write(json.dumps({"do": do, **settings}) + "\n")
            self.told.flush()
        except BrokenPipeError:
            pass    # it has ended, which the answer will show

    def answer(self) -> dict:
        line = self.said.readline()
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
        for pipe in (self.told, self.said):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
