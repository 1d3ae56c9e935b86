"""The two trees of a contest: folders as they are, or commits as git worktrees in a temporary place, which is removed
whatever happens.

A process of a tree has the tree first on its path: every entry of our own path that lies in the repository is that of
the tree there. All else, the libraries, is shared.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.records.study_path import within
from harness.spec import INSTALLED, ROOT


@dataclass(frozen=True)
class Tree:
    name: str       # OLD or NEW
    given: str      # what the user called it
    folder: Path
    commit: str     # nothing of a folder
    home: Path      # the repository, or the folder, in place of which the tree stands
    study: str      # the path of the study's file within it

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.given}"
            f"{f', {self.commit[:10]}' if self.commit and not self.commit.startswith(self.given) else ''})"
        )

    def environment(self) -> dict[str, str]:
        """Of its processes: one thread, and the tree first on the path."""
        here = [Path(entry or os.getcwd()).resolve() for entry in sys.path]
        ours = [
            entry.relative_to(self.home)
            for entry in here
            if entry.is_relative_to(self.home) and not entry.is_relative_to(Path(sys.prefix).resolve())
        ]
        own = [str(self.folder / entry) for entry in dict.fromkeys([*ours, Path(".")])]
        others = [
            entry
            for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)
            if entry and not Path(entry).resolve().is_relative_to(self.home)
        ]
        # the installed package is none of the tree's
        installed = [str(ROOT)] if INSTALLED and str(ROOT) not in others else []
        return os.environ | {
            "PYTHONPATH": os.pathsep.join([*own, *others, *installed]),
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }

    def place(self) -> Path:
        """Where its processes stand: where we stand in the repository, if the tree has that folder."""
        here = Path.cwd()
        there = self.folder / here.relative_to(self.home) if here.is_relative_to(self.home) else self.folder
        return there if there.is_dir() else self.folder

    def leak(self, source: str) -> bool:
        """Whether code that the tree should have of its own was loaded from the repository in whose place it stands."""
        path = Path(source).resolve()
        inside = path.is_relative_to(self.home) and not path.is_relative_to(Path(sys.prefix).resolve())
        return inside and not path.is_relative_to(self.folder.resolve())


def _git(home: Path, *words: str) -> str | None:
    """What git says, None if it fails; no hook of the repository runs."""
    try:
        done = subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", "-C", str(home), *words],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def home_of(study: Path) -> tuple[Path, str | None]:
    """The folder that the trees stand in place of, and the repository there if there is one."""
    beside = study.parent if study.parent.is_dir() else Path.cwd()
    top = _git(beside, "rev-parse", "--show-toplevel")
    return (Path(top).resolve() if top else Path.cwd()), top


@contextmanager
def trees(old: str, new: str, study: str, share: Sequence[str] = ()) -> Iterator[tuple[Tree, Tree]]:
    """OLD and NEW, made if they are commits and removed at the end. share: ignored paths of the repository, networks or
    data, that commits are to have too.

    Raises ValueError for what is neither a commit nor a folder.
    """
    path = Path(study).resolve()
    home, top = home_of(path)
    if not path.is_relative_to(home):
        raise ValueError(
            f"{study} does not lie in {home}, where the trees are taken from: "
            "call the command from the folder of the study's project"
        )
    work = Path(tempfile.mkdtemp(prefix="ssmd-contest-")).resolve()
    made: list[Path] = []
    try:
        found = []
        for name, given in (("OLD", old), ("NEW", new)):
            commit = (
                _git(home, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{given}^{{commit}}")
                if top
                else None
            )
            if commit:
                folder = work / name.lower()
                made.append(folder)
                if _git(home, "worktree", "add", "--detach", "--quiet", str(folder), commit) is None:
                    raise ValueError(
                        f"git made no worktree of {given}: is there room in {work.parent}, and may {home} be written?"
                    )
                _shared(home, folder, share)
            elif Path(given).is_dir():
                folder = Path(given).resolve()
            else:
                raise ValueError(
                    f"{name} is {given!r}, which is neither a commit of {home} nor a folder: "
                    "give a branch, a tag, a hash, or a path"
                )
            file = within(folder, str(path.relative_to(home)))
            found.append(Tree(name, given, folder, commit or "", home, str(file or "")))
            if not file:
                raise ValueError(f"{found[-1]} has no {path.relative_to(home)}: give a study that both trees have")
        yield found[0], found[1]
    finally:
        with deaf():
            for folder in made:
                _git(
                    home, "worktree", "remove", "--force", "--force", str(folder)
                )    # twice: one that was not finished is locked
            shutil.rmtree(work, ignore_errors=True)


def _shared(home: Path, folder: Path, share: Sequence[str]) -> None:
    for name in share:
        source, target = Path(os.path.abspath(home / name)), folder / name    # a link in it may lead anywhere
        if not source.exists() or not source.is_relative_to(home):
            raise ValueError(f"--share {name} is not there, or outside of {home}: give a path within the repository")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)


class Stopped(KeyboardInterrupt):
    """A signal that ends the contest; .code is the exit code, 128 and its number."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, signals that end a process raise Stopped, so that what was begun is cleared away."""
    def stop(number: int, frame: object) -> None:
        raise Stopped(number)

    with _handled(stop):
        yield


@contextmanager
def deaf() -> Iterator[None]:
    """Within, these signals are ignored: clearing away is not broken off."""
    with _handled(signal.SIG_IGN):
        yield


@contextmanager
def _handled(handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():    # Python lets no other thread set them
        yield
        return
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]    # as nohup leaves it
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
