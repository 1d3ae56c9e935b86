"""The store of a run: append-only JSON lines, arrays beside them, nothing lost by a kill or a full disk.

    RUN/records.jsonl         one record a line; every writer appends whole lines and syncs; further writers use records.NAME.jsonl
    RUN/samples/KEY.npy       (n, L) token ids           RUN/costs/KEY.npy     (n, 3) nfe_a, nfe_b, nfe_c needed by each row
    RUN/scores/KEY.npy        (2, n) numerator and denominator of a per-row metric
    RUN/shard_*/KEY.npy       samples and counts of a stretch of rows, until a run without --shard unites them

A torn line - the end of a killed writer - is skipped and counted. So is a line that is JSON and no whole record (harness/record_types.py); it is named on
stderr, once, and blocks no other: the run computes what is missing; a gate, which computes nothing, refuses the store. Arrays are written under another name and then renamed.

**What counts.** Of several records of one key the last counts, for every reader alike, as `records` holds them in the order in which they were written.
Within a file that is the order of its lines, whatever its clocks said. Files of several writers are merged by time, where a line counts as no later than
the line below it: a clock that ran ahead for a while moves nothing but the last line that it stamped.

**What is guaranteed.** `has` and `get` know no array that is not what the record of its key says (harness/arrays.py): samples by their sha256, costs and
scores by their shapes and sums. Both read the whole file each time. A finished run that is asked again reads neither, as long as size and time of change of
every file are those at its end (harness/finished.py): an edit that keeps both is seen by whoever reads the array next, and by the next run that
has something to do.
"""

import fcntl
import heapq
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np

from harness.arrays import fits
from harness.atomic import Scratch, write_all
from harness.incoming import Wrong, parsed
from harness.record import SCHEMA, upgrade, whole

HEADER = 128    # bytes that np.save gives to the head of an array with as few axes as ours


def sentence(error: OSError) -> str:
    """What the system said, without the number and the path."""
    return error.strerror or str(error)


class Store:
    def __init__(self, folder: Path, writer: str = "", strict: bool = False):
        """Open or create. Raises ValueError if the folder cannot be made or read, or, if `strict`, for a line that is JSON and no whole record."""
        self.folder, self.strict, self.torn, self.newer, self._latest = Path(folder), strict, 0, 0, {}    # type: ignore[var-annotated]
        self.broken: list[str] = []    # FILE line K: what is wrong with it
        self.path = self.folder / (f"records.{writer}.jsonl" if writer else "records.jsonl")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"the run folder {folder} cannot be made ({sentence(error)}): choose another with --out") from None
        try:
            self.records = self._read()
        except OSError as error:
            raise ValueError(f"the records in {folder} cannot be read ({sentence(error)}): correct the rights of the folder or choose another with --out") from None

    def refresh(self) -> None:
        """Read again if another writer has added to the records since they were read."""
        if self._sizes() != self._seen:
            self.records, self._latest = self._read(), {}

    def _sizes(self) -> dict[str, int]:
        return {path.name: path.stat().st_size for path in self.folder.glob("records*.jsonl")}

    def _read(self) -> list[dict]:
        self._seen = self._sizes()    # what comes while we read is read again
        self.torn, self.newer, self.broken = 0, 0, []
        files = [self._lines(path) for path in sorted(self.folder.glob("records*.jsonl"))]
        return files[0] if len(files) == 1 else [record for _, record in heapq.merge(*map(_by_time, files), key=lambda timed: timed[0])]

    def _lines(self, path: Path) -> list[dict]:
        found, wrong = [], []
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                record = parsed(line)
            except Wrong:
                record = None
            if not isinstance(record, dict):
                self.torn += 1
                continue
            try:
                record = upgrade(record)
                if record is None:
                    self.newer += 1
                else:
                    found.append(whole(record))
            except Wrong as error:
                wrong.append(f"line {number}: {error}")
        if wrong and self.strict:
            raise ValueError(f"{path} {wrong[0]}: remove that line, and run the study again")
        self.broken += [f"{path.name} {text}" for text in wrong]
        if wrong and (path, len(wrong)) not in _told:
            _told.add((path, len(wrong)))
            lines = "1 line" if len(wrong) == 1 else f"{len(wrong)} lines"
            print(f"{lines} of {path} {'is no whole record' if len(wrong) == 1 else 'are no whole records'} ({wrong[0]}): left out; "
                  "the run computes what is missing", file=sys.stderr)
        return found

    def append(self, record: dict) -> dict:
        """Write one record and sync it to the disk. Raises ValueError for one that could not be read back, or if the disk refuses; what was stored stays as it was."""
        if not isinstance(record, dict):
            raise ValueError(f"{type(record).__name__} is no record: append a dict with a type (harness/record.py)")
        record = {"schema": SCHEMA, "time": datetime.now(UTC).isoformat(timespec="seconds"), **record}
        try:
            text = json.dumps(record, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
            line = text.encode("utf-8", "replace") + b"\n"    # a message may hold half a character, which no reader takes
            whole(parsed(line))
        except (TypeError, ValueError, RecursionError) as error:    # no plain data, NaN, a field that every record of its type has
            raise ValueError(f"a {record.get('type')} record cannot be stored ({error}): correct the study or the plug-in that it is of") from None
        try:
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)    # another writer's line must not stand between ours and the end of the file
                size = os.fstat(file).st_size
                if size and os.pread(file, 1, size - 1) != b"\n":
                    line = b"\n" + line             # a killed writer left a torn line: keep it apart
                try:
                    write_all(file, line)
                except OSError:
                    os.ftruncate(file, size)
                    raise
                if size == self._seen.get(self.path.name, 0):    # else another has added something in between
                    self._seen[self.path.name] = size + len(line)
            finally:
                os.close(file)
        except OSError as error:
            raise ValueError(f"{self.path} cannot be written ({sentence(error)}): free the disk or choose another --out; "
                             f"the {len(self.records)} records there are intact") from None
        self.records.append(record)
        self._latest = {about: found for about, found in self._latest.items() if about[0] != record.get("type")}
        return record

    def put(self, room: str, key: str, array: np.ndarray) -> None:
        """Write one array, whole or not at all. Raises ValueError if it is none, or if the disk refuses."""
        if not isinstance(array, np.ndarray) or not array.ndim or array.dtype.hasobject:
            raise ValueError(f"{room}/{key} cannot be stored: {str(array)[:60]!r} is no array of numbers with an axis")
        with self.writing(room, key, len(array)) as add:
            add(array)

    @contextmanager
    def writing(self, room: str, key: str, rows: int) -> Iterator[Callable[[np.ndarray], None]]:
        """What writes the next of so many rows of an array, which is there once the last is written; if that is never, no file stays. Raises ValueError if the disk refuses."""
        path, left, scratch = self.folder / room / f"{key}.npy", rows, None

        def add(array: np.ndarray) -> None:
            nonlocal left, scratch
            try:
                if scratch is None:
                    path.parent.mkdir(exist_ok=True)
                    scratch = Scratch(path)
                head = b"" if left < rows else _head((rows, *array.shape[1:]), array.dtype)
                scratch.write(head, np.ascontiguousarray(array).data.cast("B") if array.size else b"")
                left -= len(array)
                if not left:
                    scratch.finish()
            except OSError as error:
                raise ValueError(f"{path} cannot be written ({sentence(error)}): free the disk or choose another --out; the records there are intact") from None

        try:
            yield add
        finally:
            if scratch is not None:
                scratch.close()

    def get(self, room: str, key: str) -> np.ndarray:
        """Raises ValueError if the array is missing, damaged, or not the one that its record is of."""
        path = f"{self.folder}/{room}/{key}.npy"    # a report reads thousands
        try:
            with open(path, "rb", buffering=0) as file:
                content = file.read()
            offset, dtype, shape, order = _layout(content[:HEADER])
            if len(content) != offset + math.prod(shape) * dtype.itemsize:
                raise ValueError("not as long as its head says")
            array = np.frombuffer(bytearray(content), dtype, math.prod(shape), offset).reshape(shape, order=order)    # type: ignore[call-overload]
            owner = self._owner(room, key)
            if owner and not fits(room, owner, array):
                raise ValueError("not what its record says")
        except (OSError, ValueError, EOFError):
            raise ValueError(f"{path} is missing or damaged: run the study again, which computes only what is missing") from None
        return array

    def has(self, room: str, key: str) -> bool:
        """Whether `get` gives the array."""
        try:
            self.get(room, key)
        except ValueError:
            return False
        return True

    def _owner(self, room: str, key: str) -> dict | None:
        """The record, done, that says what the array is; None for a room or a key that no record speaks of."""
        if room in ("shard_samples", "shard_counts"):
            name, _, part = key.rpartition(".")
            found = self.latest("shard", "key", "shard").get((name, part.replace("of", "/")))
        elif room == "scores":
            found = self.latest("scored", "score_key").get((key,))
        else:
            found = self.latest("counted", "key").get((key,)) if room in ("samples", "costs") else None
        return found if found and found["status"] == "done" else None

    def of(self, kind: str) -> list[dict]:
        return [r for r in self.records if r.get("type") == kind]

    def latest(self, kind: str, *ids: str) -> dict:
        """The last record of a kind for each tuple of ids, later ones replacing earlier ones. Not to be written to: it is kept until such a record is appended."""
        if (kind, ids) not in self._latest:
            self._latest[kind, ids] = {tuple(r.get(i) for i in ids): r for r in self.of(kind)}
        return self._latest[kind, ids]


_told: set[tuple[Path, int]] = set()    # files with lines left out, and how many, of which this process has spoken


def _by_time(records: list[dict]) -> list[tuple[str, dict]]:
    """The records of one file with the times by which they are merged with those of others."""
    made, below = [], "~"    # behind every time
    for record in reversed(records):
        below = min(below, record.get("time") or below)
        made.append((below, record))
    return made[::-1]


def _head(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """Of a .npy file, as np.save writes it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
    return file.getvalue()


@lru_cache
def _layout(head: bytes) -> tuple[int, np.dtype, tuple[int, ...], str]:
    """Where the numbers begin in a .npy file with this head, what they are, how many and in which order. Raises ValueError if it is none.

    Thousands of arrays have few heads between them.
    """
    file = io.BytesIO(head)
    version = np.lib.format.read_magic(file)
    shape, fortran, dtype = (np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0)(file)
    if dtype.hasobject:
        raise ValueError("pickled")
    return file.tell(), dtype, shape, "F" if fortran else "C"
