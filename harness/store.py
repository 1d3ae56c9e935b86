"""The store of a run: append-only JSON lines, arrays beside them, nothing lost by a kill or a full disk.

    RUN/records.jsonl         one record a line; every writer appends whole lines and syncs; further writers use records.NAME.jsonl
    RUN/samples/KEY.npy       (n, L) token ids           RUN/costs/KEY.npy     (n, 3) nfe_a, nfe_b, nfe_c needed by each row
    RUN/scores/KEY.npy        (2, n) numerator and denominator of a per-row metric

A torn line - the end of a killed writer - is skipped and counted. Arrays are written under another name and then renamed.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

SCHEMA = 1


class Store:
    def __init__(self, folder: Path, writer: str = ""):
        """Open or create. Raises ValueError if the folder cannot be made."""
        self.folder, self.torn = Path(folder), 0
        self.path = self.folder / (f"records.{writer}.jsonl" if writer else "records.jsonl")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"the run folder {folder} cannot be made ({error.strerror}): choose another with --out") from None
        self.records = self._read()

    def _read(self) -> list[dict]:
        found = []
        for path in sorted(self.folder.glob("records*.jsonl")):
            for line in path.read_bytes().split(b"\n"):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except ValueError:
                    self.torn += 1
                    continue
                if isinstance(record, dict) and record.get("schema", 0) <= SCHEMA:
                    found.append(record)
        return found

    def append(self, record: dict) -> dict:
        """Write one record and sync it to the disk. Raises ValueError if the disk refuses; what was stored stays as it was."""
        record = {"schema": SCHEMA, "time": datetime.now(UTC).isoformat(timespec="seconds"), **record}
        line = json.dumps(record, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        try:
            with open(self.path, "ab+") as f:
                size = f.seek(0, os.SEEK_END)
                if size:
                    f.seek(size - 1)
                    line = line if f.read(1) == b"\n" else b"\n" + line            # a killed writer left a torn line: keep it apart
                try:
                    f.write(line)
                    f.flush()
                    os.fsync(f.fileno())
                except OSError:
                    os.truncate(self.path, size)
                    raise
        except OSError as error:
            raise ValueError(f"{self.path} cannot be written ({error.strerror}): free the disk or choose another --out; the {len(self.records)} records there are intact") from None
        self.records.append(record)
        return record

    def put(self, room: str, key: str, array: np.ndarray) -> None:
        path = self.folder / room / f"{key}.npy"
        scratch = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            path.parent.mkdir(exist_ok=True)
            with open(scratch, "wb") as f:
                np.save(f, array, allow_pickle=False)
                f.flush()
                os.fsync(f.fileno())
            scratch.replace(path)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise ValueError(f"{path} cannot be written ({error.strerror}): free the disk or choose another --out; the records there are intact") from None

    def get(self, room: str, key: str) -> np.ndarray:
        """Raises ValueError if the array is missing or damaged."""
        path = self.folder / room / f"{key}.npy"
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            raise ValueError(f"{path} is missing or damaged: run the study again, which computes only what is missing") from None

    def has(self, room: str, key: str) -> bool:
        return (self.folder / room / f"{key}.npy").is_file()

    def of(self, kind: str) -> list[dict]:
        return [r for r in self.records if r.get("type") == kind]

    def latest(self, kind: str, *ids: str) -> dict:
        """The last record of a kind for each tuple of ids, later ones replacing earlier ones."""
        return {tuple(r.get(i) for i in ids): r for r in self.of(kind)}
