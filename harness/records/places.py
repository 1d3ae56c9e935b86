"""Where a store lies: in a run folder, which grows, or in the zip of a kept run, which only proofs are added to.

    runs/x                     FolderPlace (harness/records/folder.py)
    studies/x/kept.zip         ZipPlace (harness/records/kept.py)

Both hold lines of records, arrays by room and key, and small files such as the journal of a sweep.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np

from harness.records.lines import Line

JOURNAL = "sweep.journal"
KEPT = "kept.zip"     # of the folder of a study, whose name is the run's
FILES = (JOURNAL,)    # what stands beside records and arrays and is kept with them


class Kept(ValueError):
    """A kept run is to be written to: a sentence that names the way."""


class Place(Protocol):
    """Methods raise OSError where the system refuses, and ValueError in a sentence for what is damaged."""

    path: Path      # of the file that records are appended to
    remedy: str     # where an array is missing or damaged

    def stamps(self) -> dict[str, int]:
        """By file of records, a number that changes when the file does."""

    def texts(self) -> list[tuple[Path, bytes]]:
        """Files of records and what they hold."""

    def tail(self, begin: int) -> bytes:
        """What was added behind the first bytes of our own file; nothing where that cannot be told."""

    def ordered(self, files: list[list[Line]]) -> Iterable[Line]:
        """The lines of these files in the order in which they count."""

    def append(self, kind: str, line: bytes) -> tuple[int, int]:
        """Add a line for a record of this type: the bytes of the file before and after. Raises Kept."""

    def array(self, room: str, key: str) -> np.ndarray:
        """Also raises KeyError."""

    def where(self, room: str, key: str) -> str:
        """The array in words for people."""

    def writing(self, room: str, key: str, rows: int) -> AbstractContextManager[Callable[[np.ndarray], None]]:
        """What writes the next of so many rows of an array. Raises Kept."""

    def rooms(self) -> dict[str, list[str]]:
        """The keys of the arrays in each room, both sorted."""

    def small(self) -> list[str]:
        """The names of the small files."""

    def files(self) -> dict[str, bytes]:
        """The small files by name."""

    def on_disk(self) -> AbstractContextManager[Path]:
        """A folder that holds the small files: the run folder, or a copy that is soon gone."""

    def work(self) -> Path:
        """The folder, to work in. Raises Kept."""


def is_zip(path: Path) -> bool:
    """Whether the path is one of a kept run, there or not."""
    return path.suffix == ".zip" and not path.is_dir()


def is_run(path: Path) -> bool:
    """Whether it is the zip of a kept run, or a folder with records."""
    return is_zip(path) or any(path.glob("records*.jsonl"))


def name_of(run: Path) -> str:
    """A run's own name, of a folder or of a zip."""
    if run.name == KEPT:
        return run.resolve().parent.name
    return (run.stem if is_zip(run) else run.name) or run.resolve().name
