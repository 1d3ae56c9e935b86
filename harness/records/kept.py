"""A store as one zip, which a repository keeps: read like a folder, and never written to. harness/records/pack.py makes
it.

Only proofs, which say of its records that they come out again, are added: as lines of a file beside it.

    NAME.zip                index, records, stacked arrays (harness/records/kept_index.py)
    NAME.proofs.jsonl       records of type "proof", which count after those of the zip
    kept.zip, proofs.jsonl  the same, in the folder of a study
"""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, NoReturn

import numpy as np

from harness.boundary.atomic import append_line, sentence
from harness.boundary.incoming import Wrong
from harness.records.kept_index import RECORDS, Index, Stack, members
from harness.records.lines import Line
from harness.records.npy import array_of
from harness.records.places import KEPT, Kept

PROOFS = "proofs.jsonl"
PIECE = 2**18    # bytes that are unpacked at once: a buffer of this size is used again, and one of the whole is not
AGAIN = "take it anew from where it was kept, or make it again with `ssmd-bench summarise RUN --out FILE.zip`"
DAMAGE = (ValueError, EOFError, KeyError, RuntimeError, OverflowError, MemoryError, struct.error, zlib.error,
          lzma.LZMAError, zipfile.BadZipFile,
          zipfile.LargeZipFile)    # that reading what is no zip, or a cut one, may raise


class Stretch(NamedTuple):
    """Where an array lies."""

    stack: Stack
    begin: int
    end: int


class ZipPlace:
    remedy = AGAIN

    def __init__(self, path: Path):
        """What it holds is known once `texts` has read it."""
        self.zip, self.path = path, path.with_name(PROOFS if path.name == KEPT else f"{path.stem}.{PROOFS}")
        self.names: list[str] = []    # of small files
        self.stretches: dict[tuple[str, str], Stretch] = {}
        self.stacks: dict[str, np.ndarray] = {}    # those that were asked for, by file

    def _learn(self, index: Index) -> None:
        self.names, self.stretches, self.stacks = [name for name in index.files if name != RECORDS], {}, {}
        for stack in index.stacks:
            begin = 0
            for key, rows in stack.keys.items():
                self.stretches[stack.room, key] = Stretch(stack, begin, begin + rows)
                begin += rows

    @contextmanager
    def _reading(self) -> Iterator[zipfile.ZipFile]:
        """Raises ValueError, in a sentence, for whatever is wrong with the zip."""
        try:
            with zipfile.ZipFile(self.zip) as archive:
                yield archive
        except FileNotFoundError:
            raise ValueError(f"there is no {self.zip}: give the zip of a kept run; a run itself is made in a folder"
                             ) from None
        except (OSError, *DAMAGE) as error:
            what = str(error) if isinstance(error, Wrong) else "it is damaged, or no zip"
            what = sentence(error) if isinstance(error, OSError) else what
            raise ValueError(f"{self.zip} is no whole kept run ({what}): {AGAIN}") from None

    def stamps(self) -> dict[str, int]:
        """The zip is replaced as a whole; the proofs only grow."""
        made = self.zip.stat().st_mtime_ns if self.zip.exists() else 0
        return {self.zip.name: made, self.path.name: self.path.stat().st_size if self.path.exists() else 0}

    def texts(self) -> list[tuple[Path, bytes]]:
        with self._reading() as archive:
            self._learn(members(archive))
            found = [(self.zip / RECORDS, archive.read(RECORDS))]
        return found + ([(self.path, self.path.read_bytes())] if self.path.exists() else [])

    def tail(self, begin: int) -> bytes:
        return b""    # the zip may have been replaced as well

    def ordered(self, files: list[list[Line]]) -> Iterable[Line]:
        """Proofs after all that they speak of."""
        return (line for lines in files for line in lines)

    def append(self, kind: str, line: bytes) -> tuple[int, int]:
        if kind != "proof":
            self._refuse()
        return append_line(self.path, line)

    def where(self, room: str, key: str) -> str:
        return f"{room}/{key} in {self.zip}"

    def array(self, room: str, key: str) -> np.ndarray:
        """A copy, as a folder would give it."""
        stack, begin, end = self.stretches[room, key]
        if stack.file not in self.stacks:
            with self._reading() as archive:
                found = array_of(_content(archive, stack.file))
            self.stacks[stack.file] = stack.numbers(found)
        return self.stacks[stack.file][(slice(None),) * stack.axis + (slice(begin, end),)].copy()

    def writing(self, room: str, key: str, rows: int) -> AbstractContextManager[Callable[[np.ndarray], None]]:
        self._refuse()

    def rooms(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for room, key in sorted(self.stretches):
            found.setdefault(room, []).append(key)
        return found

    def small(self) -> list[str]:
        return self.names

    def files(self) -> dict[str, bytes]:
        with self._reading() as archive:
            return {name: archive.read(name) for name in self.names}

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        with TemporaryDirectory(prefix="ssmd-kept-") as folder:
            for name, content in self.files().items():
                (Path(folder) / name).write_bytes(content)
            yield Path(folder)

    def work(self) -> Path:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Kept(f"{self.zip} is a kept run, to which nothing is added: copy it out with "
                   f"`ssmd-bench unpack {self.zip} --out FOLDER`, and work there")


def _content(archive: zipfile.ZipFile, name: str) -> bytearray:
    """A file of the zip, no longer than its head says. `archive.read` takes a third longer for a large one."""
    found, place = bytearray(archive.getinfo(name).file_size), 0
    with archive.open(name) as file:
        while piece := file.read(PIECE):
            found[place:place + len(piece)] = piece
            place += len(piece)
    if place < len(found):
        raise Wrong(f"{name} is cut")
    return found
