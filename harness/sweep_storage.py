"""What the workers of a sweep share: the list of trials, in a journal or a data base, and locks that a dead worker cannot keep.

    (none)                            FOLDER/sweep.journal
    sqlite:///x.db, postgresql://...  a data base
    grpc://HOST:PORT                  a proxy in front of one

Locks are byte ranges of FOLDER/sweep.lock. The kernel drops those of a process that ends, at once and however it ends, so "its byte is free" means "its
worker is dead": no time-out to wait for, no process number that another process may have taken. The folder must be on a file system whose locks all workers see.
"""

import fcntl
import json
import os
import re
import socket
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, get_storage
from optuna.storages.journal import BaseJournalBackend

REMEDY = {"psycopg": "pip install 'ssmd-bench[cluster]'", "grpc": "pip install 'ssmd-bench[cluster]'"}


class Locks:
    """Open once a process: closing any handle of the file drops all of them."""

    def __init__(self, path: Path):
        try:
            self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            self.release(0)
        except OSError as error:
            raise ValueError(f"{path} cannot be locked ({error.strerror}): choose an --out on a file system with locks") from None

    def take(self, place: int) -> None:
        """Wait for it."""
        fcntl.lockf(self.file, fcntl.LOCK_EX, 1, place)

    def release(self, place: int) -> None:
        fcntl.lockf(self.file, fcntl.LOCK_UN, 1, place)

    @contextmanager
    def held(self, place: int) -> Iterator[None]:
        self.take(place)
        try:
            yield
        finally:
            self.release(place)

    def free(self, place: int) -> bool:
        """Whether no other process has it; one's own are not to be asked for."""
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        self.release(place)
        return True

    def name(self) -> str:
        """Of the folder, made by the first who asks, under a lock; a storage belongs to one folder."""
        if not os.fstat(self.file).st_size:
            os.pwrite(self.file, f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}".encode(), 0)
        return os.pread(self.file, 200, 0).decode()

    def close(self) -> None:
        os.close(self.file)


class Journal(BaseJournalBackend):
    """One operation a line. A torn line, the end of a killed writer, is skipped by all alike; Optuna's own journal file cannot be read after one,
    and its lock outlives a killed writer by 30 seconds. Not synced to the disk: the records are, and the sweep can be rebuilt from them."""

    def __init__(self, path: Path):
        self.path, self.starts = path, [0]    # starts: where operation k begins

    def read_logs(self, log_number_from: int) -> Iterator[dict]:
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            k = min(log_number_from, len(self.starts) - 1)
            end = file.seek(self.starts[k])
            for line in file:
                end += len(line)
                if not line.endswith(b"\n"):
                    return    # still being written
                try:
                    operation = json.loads(line)
                except ValueError:
                    continue
                k += 1
                if k == len(self.starts):
                    self.starts.append(end)
                if k > log_number_from:
                    yield operation

    def append_logs(self, logs: list[dict]) -> None:
        lines = b"".join(json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs)
        with open(self.path, "a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file.fileno()).st_size
            lines = memoryview(b"\n" + lines if size and os.pread(file.fileno(), 1, size - 1) != b"\n" else lines)    # type: ignore[assignment]
            while lines:
                lines = lines[file.write(lines):]


def open_storage(url: str, folder: Path) -> BaseStorage:
    """Raises ValueError, in a sentence, if it cannot be reached."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    if not url:
        return JournalStorage(Journal(folder / "sweep.journal"))
    shown = without_password(url)
    try:
        if proxy := re.fullmatch(r"grpc://([^:/]+):(\d+)/?", url):
            storage = GrpcStorageProxy(host=proxy[1], port=int(proxy[2]))
            storage.wait_server_ready(timeout=20)
            return storage
        return get_storage(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url))
    except ImportError as error:
        package = (error.name or "a package").split(".")[0]
        raise ValueError(f"the storage {shown} needs {package}, which is not installed: {REMEDY.get(package, f'pip install {package}')}") from None
    except Exception as error:    # each data base has errors of its own
        raise ValueError(f"the storage {shown} cannot be opened ({type(error).__name__}): is it running, and is the address right?") from None


def copy_to_journal(study: optuna.Study, storage: str, folder: Path) -> None:
    """The trials of a data base as FOLDER/sweep.journal too, in place of an earlier copy: reports and summaries read files alone."""
    journal = open_storage("", folder)
    if study.study_name in optuna.get_all_study_names(journal):
        optuna.delete_study(study_name=study.study_name, storage=journal)
    optuna.copy_study(from_study_name=study.study_name, from_storage=open_storage(storage, folder), to_storage=journal)


def without_password(text: str) -> str:
    return re.sub(r"://([^:/@\s]+):[^@/\s]+@", r"://\1:***@", text)
