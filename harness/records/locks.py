"""Locks that a dead process cannot keep: byte ranges of one file. The kernel drops those of a process that ends, at
once and however it ends, so "its byte is free" means "its holder is gone": no time-out to wait for, no process number
that another process may have taken. The file must lie on a file system whose locks all processes see; on one that hosts
share, the file server frees those of a host that is gone.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def place_of(name: str) -> int:
    """The byte that stands for a name."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:15], 16)


class ByteLocks:
    """Open once a process: closing any handle of the file drops all of them."""

    def __init__(self, path: Path):
        """Raises ValueError if there can be no such file, or no locks on it."""
        self.path = path
        try:
            self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ValueError(
                f"{path} cannot be opened ({error.strerror}): correct its rights, or move it away"
            ) from None
        try:
            self.release(0)
        except OSError as error:
            raise ValueError(
                f"{path} cannot be locked ({error.strerror}): choose an --out on a file system with locks"
            ) from None

    def take(self, place: int) -> None:
        """Wait for it."""
        fcntl.lockf(self.file, fcntl.LOCK_EX, 1, place)

    def take_now(self, place: int) -> bool:
        """Whether it was free, and is ours now. One's own is free."""
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def release(self, place: int) -> None:
        fcntl.lockf(self.file, fcntl.LOCK_UN, 1, place)

    @contextmanager
    def held(self, place: int) -> Iterator[None]:
        self.take(place)
        try:
            yield
        finally:
            self.release(place)

    def close(self) -> None:
        os.close(self.file)
