"""A store as a folder: every writer appends whole lines to a file of its own, and arrays are renamed into place."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from harness.boundary.atomic import Scratch, append_line, sentence
from harness.boundary.incoming import is_name
from harness.records.lines import Line, by_time
from harness.records.npy import array_of, head
from harness.records.places import FILES


class FolderPlace:
    remedy = "run the study again, which computes only what is missing"

    def __init__(self, folder: Path, writer: str = ""):
        """Open or create. Raises ValueError if the folder cannot be made."""
        self.folder = folder
        self.path = folder / (f"records.{writer}.jsonl" if writer else "records.jsonl")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"the run folder {folder} cannot be made ({sentence(error)}): "
                             "choose another with --out") from None

    def stamps(self) -> dict[str, int]:
        """The bytes of each file of records, which only grows."""
        return {path.name: path.stat().st_size for path in self.folder.glob("records*.jsonl")}

    def texts(self) -> list[tuple[Path, bytes]]:
        return [(path, path.read_bytes()) for path in sorted(self.folder.glob("records*.jsonl"))]

    def tail(self, begin: int) -> bytes:
        """What was added to our own file behind its first bytes; nothing if these end in no whole line."""
        with open(self.path, "rb") as file:
            file.seek(begin - 1 if begin else 0)
            return file.read() if not begin or file.read(1) == b"\n" else b""

    def ordered(self, files: list[list[Line]]) -> Iterable[Line]:
        return by_time(files)

    def append(self, kind: str, line: bytes) -> tuple[int, int]:
        return append_line(self.path, line)

    def where(self, room: str, key: str) -> str:
        return f"{self.folder}/{room}/{key}.npy"    # a report reads thousands

    def array(self, room: str, key: str) -> np.ndarray:
        with open(self.where(room, key), "rb", buffering=0) as file:
            return array_of(bytearray(file.read()))

    @contextmanager
    def writing(self, room: str, key: str, rows: int) -> Iterator[Callable[[np.ndarray], None]]:
        """The array is there once its last row is written; if that is never, no file stays."""
        path, left, scratch = self.folder / room / f"{key}.npy", rows, None

        def add(array: np.ndarray) -> None:
            nonlocal left, scratch
            try:
                if scratch is None:
                    path.parent.mkdir(exist_ok=True)
                    scratch = Scratch(path)
                begin = b"" if left < rows else head((rows, *array.shape[1:]), array.dtype)
                scratch.write(begin, np.ascontiguousarray(array).data.cast("B") if array.size else b"")
                left -= len(array)
                if not left:
                    scratch.finish()
            except OSError as error:
                raise ValueError(f"{path} cannot be written ({sentence(error)}): free the disk or choose another "
                                 "--out; the records there are intact") from None

        try:
            yield add
        finally:
            if scratch is not None:
                scratch.close()

    def rooms(self) -> dict[str, list[str]]:
        """Every folder in the run folder that holds arrays."""
        found = {}
        for entry in os.scandir(self.folder):
            if entry.is_dir() and is_name(entry.name):
                names = (name.removesuffix(".npy") for name in os.listdir(entry.path) if name.endswith(".npy"))
                found[entry.name] = sorted(filter(is_name, names))
        return {room: found[room] for room in sorted(found) if found[room]}

    def small(self) -> list[str]:
        return [name for name in FILES if (self.folder / name).is_file()]

    def files(self) -> dict[str, bytes]:
        return {name: (self.folder / name).read_bytes() for name in self.small()}

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        yield self.folder

    def work(self) -> Path:
        return self.folder
