"""One input of the command line, and the state of its folder before and after."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

APPENDED = ("*records*.jsonl", "*sweep.journal", "*log.jsonl")    # may grow, and keep every byte that stood
RENEWED = ("*finished.json", "*sweep.lock", "*__pycache__*")       # are made again whenever they do not fit


Files = dict[str, bytes]
SQLITE = b"SQLite format 3"


@dataclass(frozen=True)
class Case:
    words: tuple[str, ...]                                   # of the command line, run in the folder of the case
    refuse: bool = False                                     # whether exit code 0 would be wrong
    changes: tuple[str,
        ...] = ()                            # patterns of files that the command may replace if it ends with 0
    environment: Mapping[str, str] = field(default_factory=dict)
    outside: bool = False                                    # whether it needs a process of its own from the start
    # what is wrong with the files, before and after, if it ends with 0
    wrong: Callable[[Files, Files], str] | None = None

def text(words: tuple[str, ...]) -> str:
    return " ".join(words)


def files(folder: Path) -> Files:
    """Every file below the folder, by its path there."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
            and not p.is_symlink()}


def digest(case: Case, before: Files) -> str:
    """Two inputs are one if they have the same words, surroundings and files."""
    made = hashlib.sha256(repr((case.words, sorted(case.environment.items()))).encode("utf-8", "surrogatepass"))
    for path, content in before.items():
        made.update(path.encode("utf-8", "surrogatepass") + b"\0" + hashlib.sha256(content).digest())
    return made.hexdigest()


def _like(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def lost(case: Case, code: int, before: Files, after: Files) -> str:
    """The first file that is gone, cut or changed without leave; nothing if all stand."""
    for path, content in before.items():
        now = after.get(path)
        if _like(path, RENEWED) or (code == 0 and _like(path, case.changes)):
            continue
        if now is None:
            return f"{path} is gone"
        tables = content.startswith(SQLITE) and now.startswith(SQLITE)    # of ours beside those of others
        if now != content and not tables and not (_like(path, APPENDED) and now.startswith(content)):
            return f"{path} was {len(content)} bytes and is {len(now)} bytes with other content"
    return ""
