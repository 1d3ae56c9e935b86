"""What the workers of a sweep share: a list of trials, and locks that a dead worker cannot keep.

    (none)                            FOLDER/sweep.journal
    sqlite:///x.db, postgresql://...  a data base
    grpc://HOST:PORT                  a proxy in front of one

Locks are byte ranges of FOLDER/sweep.lock. The kernel drops those of a process that ends, at once and however it ends,
so "its byte is free" means "its worker is dead": no time-out to wait for, no process number that another process may
have taken. The folder must be on a file system whose locks all workers see.
"""

import os
import re
import socket
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, RDBStorage, get_storage

from harness.boundary.addresses import without_secrets
from harness.records.journal import REBUILT, Journal, JournalError
from harness.records.locks import ByteLocks

REMEDY = dict.fromkeys(("psycopg", "grpc", "protobuf", "sqlalchemy"), "pip install 'ssmd-bench[cluster]'")
PATIENCE_SECONDS = 60
CHOICES = "give sqlite:///FILE, postgresql://USER@HOST/NAME or grpc://HOST:PORT, and see that it runs there"
INTACT = "the records are intact, and the same command goes on from there"
ANOTHER = "give another; the sweep is rebuilt from the records"
CAUSES = (    # words of an error, which itself is not shown since it may quote the address -> what to do
    (("password", "authentication", "role "),
     "the server refuses the user or the password: correct them (a password may stand in PGPASSWORD too)"),
    (("connection refused", "could not translate", "name or service", "timeout", "timed out", "unreachable", "no route",
      "unavailable", "failed to resolve"), "no server answers there: start it, or correct the address"),
    (('database "', "unknown database"),
     "the server has no data base of that name: make it with createdb, or correct the address"),
    (("readonly", "read-only"), "it cannot be written: correct its rights"),
    (("malformed", "not a database"), f"the file is damaged, or no data base: {ANOTHER}"),
    (("disk", "full", "no space"), f"its disk has no room: make some; {INTACT}"),
    (("unable to open",), "the file cannot be opened: correct its path or its rights"),
    (("locked",), f"other programs keep it busy: give the same command again; {INTACT}"),
    (("no such column", "no such table", "has no column", "does not exist", "compatible", "alembic"),
     f"it holds tables of another program or version: {ANOTHER}"),
    (("closed the connection", "server closed", "terminating", "connection is lost", "lost connection"),
     f"the server has gone away: start it; {INTACT}"))


class Locks(ByteLocks):
    """Those of FOLDER/sweep.lock, whose text names the folder."""

    def free(self, place: int) -> bool:
        """Whether no other process has it; one's own are not to be asked for."""
        if not self.take_now(place):
            return False
        self.release(place)
        return True

    def check(self) -> None:
        """Raises ValueError if the file was deleted or replaced: workers that begin now do not see our locks."""
        try:
            same = os.path.samestat(os.stat(self.path), os.fstat(self.file))
        except OSError:
            same = False
        if not same:
            raise ValueError(f"{self.path} was deleted while a worker used it: "
                             "give the same command again, for every worker of the sweep; nothing is lost")

    def blank(self) -> bool:
        return not os.fstat(self.file).st_size

    def name(self, first: str = "") -> str:
        """Of the folder: `first`, or one made by the first who asks, under a lock; data bases belong to one folder."""
        if self.blank():
            os.pwrite(self.file, (first or f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}").encode(), 0)
        return os.pread(self.file, 200, 0).decode(errors="replace")


def open_storage(url: str, folder: Path) -> BaseStorage:
    """Raises ValueError, in a sentence without secrets, if it cannot be reached or is no list of trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    if url:
        try:
            return _data_base(url)
        except ValueError:
            raise
        except Exception as error:    # each data base has errors of its own
            raise _said(url, error) from None
    path = folder / "sweep.journal"
    try:
        return JournalStorage(Journal(path))
    except JournalError:
        raise
    except Exception as error:    # each operation is one, and together they make no list of trials
        raise ValueError(f"the operations in {path} contradict each other ({type(error).__name__}): "
                         f"{REBUILT}") from None


def _data_base(url: str) -> BaseStorage:
    if proxy := re.fullmatch(r"grpc://([^:/@]+|\[[^/@]+\]):(\d+)/?", url):
        storage = GrpcStorageProxy(host=proxy[1], port=int(proxy[2]))
        storage.wait_server_ready(timeout=20)
        return storage
    if "://" not in url:
        raise ValueError(f"the storage is no address: {CHOICES}")    # not shown: a password may stand in it
    from sqlalchemy.engine import make_url

    try:
        found = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url))
    except Exception:    # ArgumentError, and what its numbers raise
        raise ValueError(f"the storage {without_secrets(url)} is no address: {CHOICES}") from None
    kind, patience = found.get_backend_name(), {}
    if kind == "sqlite":
        if not found.database or ":memory:" in found.database or found.query.get("mode") == "memory":
            raise ValueError(f"the storage {without_secrets(url)} is in memory, where no other worker and no later "
                             "command finds it: give sqlite:///FILE")
        patience = {"timeout": PATIENCE_SECONDS}            # of a worker that waits for another's write
    if kind == "postgresql" and "connect_timeout" not in found.query:
        patience = {"connect_timeout": PATIENCE_SECONDS}
    kwargs = {"connect_args": patience} if patience else None
    return get_storage(RDBStorage(found.render_as_string(hide_password=False), engine_kwargs=kwargs))


@contextmanager
def answering(url: str) -> Iterator[None]:
    """What a data base raises in this block becomes a ValueError, in a sentence without secrets."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        if url and _of_storage(error):
            raise _said(url, error) from None
        raise


def _said(url: str, error: Exception) -> ValueError:
    if isinstance(error, ImportError):
        package = _missing(error)
        remedy = REMEDY.get(package, f"pip install {package}")
        return ValueError(f"the storage {without_secrets(url)} needs {package}, which is not installed: {remedy}")
    texts = [f"{type(e).__name__} {e}".lower() for e in _errors(error)]
    fitting = (remedy for words, remedy in CAUSES if any(word in text for text in texts for word in words))
    remedy = next(fitting, CHOICES)
    return ValueError(f"the storage {without_secrets(url)} cannot be opened or used ({type(error).__name__}): "
                      f"{remedy}")


def _of_storage(error: BaseException) -> bool:
    """Whether a data base, its driver or a proxy raised it."""
    raisers = ("optuna", "sqlalchemy", "grpc", "psycopg", "sqlite3")
    rooms = {type(e).__module__.split(".")[0] for e in _errors(error)}
    return isinstance(error, ConnectionError) or not rooms.isdisjoint(raisers)


def _errors(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, what caused that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _missing(error: ImportError) -> str:
    names = [e.name for e in _errors(error) if isinstance(e, ImportError) and e.name]
    package = (names[0] if names else "a package").split(".")[0]
    return "protobuf" if package == "google" else package


def copy_to_journal(study: optuna.Study, storage: str, folder: Path) -> None:
    """The trials of a data base as FOLDER/sweep.journal too, in place of an earlier copy: reports read files alone."""
    journal = open_storage("", folder)
    if study.study_name in optuna.get_all_study_names(journal):
        optuna.delete_study(study_name=study.study_name, storage=journal)
    optuna.copy_study(from_study_name=study.study_name, from_storage=open_storage(storage, folder), to_storage=journal)
