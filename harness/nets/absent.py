"""Networks of the project that its tree does not hold: what they are and how they come back.

`ssmd/checkpoints/absent.json` lists them. The cards stay in the tree, and a record needs the hash of a network alone,
so that claims are computed without the file. What samples or scores with one says in a sentence how it comes back:

    ssmd-bench checkpoints --restore protein     exact bytes, from the history of a clone (harness/nets/restore.py)
    ssmd-bench train ...                         a network of the same recipe and of another hash
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from harness.boundary.incoming import Size, read
from harness.boundary.nearest import meant
from harness.spec import ROOT

FOLDER = ROOT / "ssmd" / "checkpoints"
Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Git = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]


class Absent(msgspec.Struct, frozen=True):
    """One file. Its name is "hybrid_plain", or with the folder "protein/heavy"."""

    name: Annotated[str, Meta(pattern=r"^([a-z_]+/)?[a-z_]+\Z", max_length=128)]
    sha256: Sha      # of the bytes
    net: Sha         # as records know it: of configuration and weights
    bytes: Size
    blob: Git        # of the file in the history
    commit: Git      # that brought it there
    train: str       # the command that makes one anew

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.safetensors"

    @property
    def group(self) -> str:
        """What is restored together: the folder of a kind of data, else the network alone."""
        return self.name.rpartition("/")[0] or self.name


def listed() -> list[Absent]:
    """The list; empty where the package came without one. Raises ValueError for a damaged one."""
    path = FOLDER / "absent.json"
    return read(path, list[Absent], "take the file from the repository again") if path.is_file() else []


def lacking(path: Path) -> Absent | None:
    """What the list says of a file that is not there; None for a file that is, or that is none of the list's."""
    if path.is_file():
        return None
    place = path.resolve()
    return next((entry for entry in listed() if entry.path.resolve() == place), None)


def way_back(entries: Sequence[Absent]) -> str:
    """The end of a sentence: the commands after which these files are there."""
    groups, training = dict.fromkeys(e.group for e in entries), dict.fromkeys(e.train for e in entries)
    return (f"`ssmd-bench checkpoints --restore {' '.join(groups)}` takes the file from the history of a clone; "
            f"`{'` and `'.join(training)}` trains another, with a hash of its own, to be copied there")


def chosen(names: Sequence[str]) -> list[Absent]:
    """The entries of these names and groups; all of them without any. Raises ValueError for an unknown name."""
    entries = listed()
    known = list(dict.fromkeys(name for e in entries for name in (e.group, e.name)))
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"{unknown[0]!r} is not a checkpoint that left the tree"
                         f"{meant(unknown[0], known) or '; choose ' + ', '.join(known)}")
    return [e for e in entries if not names or e.name in names or e.group in names]
