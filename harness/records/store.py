"""The store of a run: append-only JSON lines, arrays beside them, nothing lost by a kill or a full disk.

    RUN/records.jsonl         one record a line; writers append whole lines and sync; others use records.NAME.jsonl
    RUN/samples/KEY.npy       (n, L) token ids       RUN/costs/KEY.npy     (n, 3) nfe_a, nfe_b, nfe_c needed by each row
    RUN/scores/KEY.npy        (2, n) numerator and denominator of a per-row metric
    RUN/shard_*/KEY.npy       samples and counts of a stretch of rows, until a run without --shard unites them
    RUN.zip                   all of that in one file, of a kept run (harness/records/kept.py)

A torn line - the end of a killed writer - is skipped and counted. So is a line that is JSON and no whole record
(harness/records/types.py); it is named on stderr, once, and blocks no other: the run computes what is missing; a gate,
which computes nothing, refuses the store. Arrays are written under another name and then renamed.

**What counts.** Of several records of one key the last counts, for every reader alike, as `records` holds them in the
order in which they were written (harness/records/lines.py).

**What is guaranteed.** `has` and `get` know no array that is not what the record of its key says
(harness/records/arrays.py): samples by their sha256, costs and scores by their shapes and sums. Both read the whole
file each time. A finished run that is asked again reads neither, as long as size and time of change of every file are
those at its end (harness/run/finished.py): an edit that keeps both is seen by whoever reads the array next, and by the
next run that has something to do.
"""

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness.boundary.atomic import sentence
from harness.boundary.incoming import parsed
from harness.records.arrays import fits
from harness.records.folder import FolderPlace
from harness.records.kept import ZipPlace
from harness.records.lines import Line, lines
from harness.records.places import JOURNAL, Place, is_zip
from harness.records.record import SCHEMA, whole
from harness.records.steps import MOVED, settled


def at(path: Path, writer: str = "") -> Place:
    """Raises ValueError, in a sentence, if the folder cannot be made or the zip cannot be read."""
    return ZipPlace(path) if is_zip(path) else FolderPlace(path, writer)


class Store:
    def __init__(self, folder: Path, writer: str = "", strict: bool = False):
        """Open or create a run folder, or open the zip of a kept run.

        Raises ValueError if it cannot be made or read, or, if `strict`, for a line that is JSON and no whole record.
        """
        self.folder, self.strict = Path(folder), strict
        self.torn, self.newer = 0, 0
        self.broken: list[str] = []    # FILE line K: what is wrong with it
        self._seen: dict[str, int] = {}
        self._of: dict[str, list[dict]] = {}    # what is read again and again, up to date with `records`
        self._latest: dict[tuple[str, tuple[str, ...]], dict] = {}
        self.names: dict[tuple[str, str], str] = {}    # (room, key) -> the older key that the array may be filed under
        self.renamed: dict[str, str] = {}    # a key that a cell had under an older schema -> the one that it has
        self.place = at(self.folder, writer)
        self.path = self.place.path
        try:
            self.records = self._read()
        except OSError as error:
            raise ValueError(f"the records in {folder} cannot be read ({sentence(error)}): correct the rights of the "
                             "folder or choose another with --out") from None

    def refresh(self) -> None:
        """Read what other writers have added to the records since they were read: the new lines, where one file has
        grown, there is no other, and no array is filed under an older key, which a new line may change.
        """
        now = self.place.stamps()
        if now == self._seen:
            return
        alone = now.keys() == self._seen.keys() == {self.path.name} and not (self.names or self.renamed)
        tail = self.place.tail(self._seen[self.path.name]) if alone else b""
        found = lines(tail)
        plain = tail.endswith(b"\n") and not (found.wrong or found.torn or found.newer)
        if not plain or any(not {"code", MOVED}.isdisjoint(line.record) for line in found.found):
            # of an older schema, for which all is read again
            self.records, self._of, self._latest = self._read(), {}, {}
            return
        self._seen = {self.path.name: self._seen[self.path.name] + len(tail)}
        for line in found.found:
            self._add(line.record)

    def _add(self, record: dict) -> None:
        """Behind all others."""
        self.records.append(record)
        kind = record.get("type", "")
        if kind in self._of:
            self._of[kind].append(record)
        for (of, ids), latest in self._latest.items():
            if of == kind:
                latest[tuple(record.get(i) for i in ids)] = record

    def _read(self) -> list[dict]:
        self._seen = self.place.stamps()    # what comes while we read is read again
        found, self.names, self.renamed = settled([line.record for line in self.lines()])
        return found

    def lines(self) -> Iterable[Line]:
        """Read the records again, with their text, in the order in which they count."""
        self.torn, self.newer, self.broken = 0, 0, []
        return self.place.ordered([self._lines(path, content) for path, content in self.place.texts()])

    def _lines(self, path: Path, content: bytes) -> list[Line]:
        found, wrong, torn, newer = lines(content)
        if wrong and self.strict:
            raise ValueError(f"{path} {wrong[0]}: remove that line, and run the study again")
        self.torn, self.newer = self.torn + torn, self.newer + newer
        self.broken += [f"{path.name} {text}" for text in wrong]
        if wrong and (path, len(wrong)) not in _told:
            _told.add((path, len(wrong)))
            said = "1 line" if len(wrong) == 1 else f"{len(wrong)} lines"
            what = "is no whole record" if len(wrong) == 1 else "are no whole records"
            print(f"{said} of {path} {what} ({wrong[0]}): left out; the run computes what is missing", file=sys.stderr)
        return found

    def append(self, record: dict) -> dict:
        """Write one record and sync it to the disk.

        Raises ValueError for one that could not be read back, or if the disk refuses; what was stored stays as it was.
        """
        if not isinstance(record, dict):
            raise ValueError(f"{type(record).__name__} is no record: append a dict with a type "
                             "(harness/records/record.py)")
        record = {"schema": SCHEMA, "time": datetime.now(UTC).isoformat(timespec="seconds"), **record}
        try:
            text = json.dumps(record, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
            line = text.encode("utf-8", "replace") + b"\n"    # half a character in a message is read by nobody
            whole(parsed(line))
        except (TypeError, ValueError, RecursionError) as error:    # no plain data, NaN, a field is missing
            raise ValueError(f"a {record.get('type')} record cannot be stored ({error}): correct the study or the "
                             "plug-in that it is of") from None
        try:
            before, after = self.place.append(record["type"], line)
        except OSError as error:
            raise ValueError(f"{self.path} cannot be written ({sentence(error)}): free the disk or choose another "
                             f"--out; the {len(self.records)} records there are intact") from None
        if before == self._seen.get(self.path.name, 0):    # else another has added something in between
            self._seen[self.path.name] = after
        self._add(record)
        return record

    def put(self, room: str, key: str, array: np.ndarray) -> None:
        """Write one array, whole or not at all. Raises ValueError if it is none, or if the disk refuses."""
        if not isinstance(array, np.ndarray) or not array.ndim or array.dtype.hasobject:
            raise ValueError(f"{room}/{key} cannot be stored: {str(array)[:60]!r} is no array of numbers with an axis")
        with self.writing(room, key, len(array)) as add:
            add(array)

    def writing(self, room: str, key: str, rows: int) -> AbstractContextManager[Callable[[np.ndarray], None]]:
        """What writes the next of so many rows of an array, which is there once the last is written; if that is
        never, no file stays. Raises ValueError if the disk refuses.
        """
        return self.place.writing(room, key, rows)

    def get(self, room: str, key: str) -> np.ndarray:
        """Raises ValueError if the array is missing, damaged, or not the one that its record is of."""
        try:
            array = self._array(room, key)
            owner = self._owner(room, key)
            if owner and not fits(room, owner, array):
                raise ValueError("not what its record says")
        except (OSError, ValueError, EOFError, KeyError):
            raise ValueError(f"{self.place.where(room, key)} is missing or damaged: {self.place.remedy}") from None
        return array

    def _array(self, room: str, key: str) -> np.ndarray:
        try:
            return self.place.array(room, key)
        except (OSError, ValueError, EOFError, KeyError):
            if (room, key) not in self.names:
                raise
            return self.place.array(room, self.names[room, key])

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
            found = (
                self.latest("counted", "key").get((key,)) if room in ("samples", "costs", "rows", "counts") else None
            )
        return found if found and found["status"] == "done" else None

    def of(self, kind: str) -> list[dict]:
        """The records of a kind, the oldest first. Not to be written to: it grows with the store."""
        if kind not in self._of:
            self._of[kind] = [r for r in self.records if r.get("type") == kind]
        return self._of[kind]

    def latest(self, kind: str, *ids: str) -> dict:
        """The last record of a kind for each tuple of ids, later ones replacing earlier ones.

        Not to be written to: it grows with the store.
        """
        if (kind, ids) not in self._latest:
            self._latest[kind, ids] = {tuple(r.get(i) for i in ids): r for r in self.of(kind)}
        return self._latest[kind, ids]

    def searched(self) -> bool:
        """Whether a sweep has kept its trials here (harness/records/journal.py)."""
        return JOURNAL in self.place.small()

    def work(self) -> Path:
        """The run folder, to work in. Raises ValueError (Kept) for the zip of a kept run."""
        return self.place.work()


_told: set[tuple[Path, int]] = set()    # files with lines left out, and how many, of which this process has spoken
