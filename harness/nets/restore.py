"""A checkpoint that left the tree, out of the history of the clone: the bytes that were tracked, or one sentence.

Nothing is fetched but by git itself, from a clone that was made without its blobs. A checkout without its history and
an installed package have no way back but training.
"""

import hashlib
import os
import subprocess
from pathlib import Path

from harness.boundary.atomic import replacing
from harness.nets.absent import Absent
from harness.spec import ROOT

SECONDS = 300    # that git may take, of a blob that it fetches


def restore(entry: Absent, history: Path = ROOT) -> bool:
    """Whether it was written; False if it is there already. Raises ValueError if it cannot be had, or another file
    stands there.
    """
    if entry.path.is_file():
        if hashlib.sha256(entry.path.read_bytes()).hexdigest() != entry.sha256:
            raise ValueError(f"{entry.path} is another network than the one that was tracked: move it away first")
        return False
    content = _blob(entry.blob, history)
    if content is None:
        raise ValueError(f"the history here does not hold {entry.name}: `git fetch --unshallow` brings it to a "
                         "shallow clone, "
                         f"else `{entry.train}` trains another, with a hash of its own, of which no kept record is")
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ValueError(f"the blob {entry.blob} is not {entry.name} by its sha256: `git fsck` says what else of the "
                         "history is damaged")
    try:
        entry.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(entry.path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise ValueError(f"{entry.path} cannot be written ({error.strerror or error}): free the disk, or make the "
                         "folder writable") from None
    return True


def _blob(name: str, history: Path) -> bytes | None:
    """The content of a blob; None where git does not have it."""
    words = ["git", "-c", "core.hooksPath=/dev/null", "-C", str(history), "cat-file", "blob", name]
    try:
        done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS,
                              env=os.environ | {"GIT_TERMINAL_PROMPT": "0"})
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
