"""Files that are there whole or not at all: written beside the place under another name, synced to the disk, then
renamed. A full disk leaves what was there as it was.

    NAME.HOST.PROCESS.tmp      such a scratch file, locked by its writer as long as it lives

A killed writer cannot remove its scratch file, and lets go of the lock: whoever comes next removes it.
"""

import fcntl
import glob
import os
import platform
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SCRATCH = re.compile(r".\.\d+\.tmp")


def sentence(error: OSError) -> str:
    """What the system said, without the number and the path."""
    return error.strerror or str(error)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{platform.node()}.{os.getpid()}.tmp")


class Scratch:
    """The scratch file of a path, which takes its place at `finish`, or vanishes. Raises OSError."""

    def __init__(self, path: Path):
        self.path, self.beside = path, _beside(path)
        while True:
            self.file = os.open(self.beside, os.O_RDWR | os.O_CREAT, 0o666)
            with suppress(OSError):    # a file system without locks
                fcntl.flock(self.file, fcntl.LOCK_EX)
            if os.fstat(self.file).st_nlink:    # else removed between the two as the file of a dead writer
                break
            os.close(self.file)
        os.ftruncate(self.file, 0)

    def write(self, *contents: bytes | memoryview) -> None:
        write_all(self.file, *contents)

    def finish(self) -> None:
        try:
            about = os.stat(self.path)
        except FileNotFoundError:
            about = os.fstat(self.file)
        with suppress(PermissionError):    # of whoever may not give files away
            os.chmod(self.beside, stat.S_IMODE(about.st_mode))
            os.chown(self.beside, about.st_uid, about.st_gid)
        os.replace(self.beside, self.path)

    def close(self) -> None:
        with suppress(FileNotFoundError):
            self.beside.unlink()
        os.close(self.file)


def append_line(path: Path, line: bytes) -> tuple[int, int]:
    """Add a line, whole and synced to the disk or not at all: the bytes of the file before and after. Raises
    OSError.
    """
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
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
        return size, size + len(line)
    finally:
        os.close(file)


def write_all(file: int, *contents: bytes | memoryview) -> None:
    """Write and sync; a disk that is full raises OSError here and not later."""
    for content in contents:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left):]
    os.fsync(file)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The path of a scratch file for libraries that write by name; it takes its place when the block ends well. Raises
    OSError that names the path.
    """
    place = Path(os.path.realpath(path))    # the file that a link leads to is replaced, not the link
    try:
        if place.exists() and not place.is_file():    # a pipe, a terminal
            yield place
            return
        remove_dead(place.parent, place.name)
        scratch = Scratch(place)
        try:
            yield scratch.beside
            with open(scratch.beside, "rb") as file:    # which the library may have made anew
                os.fsync(file.fileno())
            scratch.finish()
        finally:
            scratch.close()
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A scratch folder, which takes the place of an empty one, or of none, when the block ends well. Raises OSError."""
    remove_dead(path.parent, path.name)
    beside = _beside(path)
    beside.mkdir(parents=True)
    file = os.open(beside, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield beside
        if path.exists():
            path.rmdir()
        beside.replace(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        os.close(file)


def write_text(path: Path, text: str) -> None:
    """Replace what is there. Raises OSError that names the path."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def remove_dead(folder: Path, name: str = "") -> None:
    """Remove the scratch files of dead writers in a folder: those of one name, or of a run folder and its rooms."""
    for beside in (
        [*folder.glob(f"{glob.escape(name)}.*.tmp")] if name else [*folder.glob("*.tmp"), *folder.glob("*/*.tmp")]
    ):
        if SCRATCH.search(beside.name):
            with suppress(OSError):
                _remove_if_dead(beside)


def _remove_if_dead(beside: Path) -> None:
    """Raises OSError if its writer lives, or if it has just been put in its place."""
    file = os.open(beside, os.O_RDONLY if beside.is_dir() else os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file), os.stat(beside)):
            shutil.rmtree(beside) if beside.is_dir() else beside.unlink()
    finally:
        os.close(file)
