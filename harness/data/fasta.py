"""Proteins of the user's own, from a FASTA file, plain or .gz; `ssmd-bench data proteins --source FILE` makes a
clustered set of the same file.

Equal sequences are one. A sequence is a cluster of its own, and the splits (80 % train, 5 % judge, 5 % validation, 10 %
test) are drawn by sequence: relatives may stand on both sides. Where that matters, cluster first. Records with letters
other than the 20 amino acids are left out.

    Fasta(path="mine.fasta", length=64).rows("test", n=8, seed=0)                  # (8, 64)
"""

import hashlib
from codecs import BOM_UTF8
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from harness.boundary.there import there
from harness.data.residues import AMINO, Content, Sequences, encode, read_fasta_file
from harness.param import Range, check, param
from harness.random import Stream, permutation

SHARES = (80, 85, 90, 100)    # per cent up to the end of train, judge, validation, test


@dataclass(frozen=True)
class Fasta(Sequences):
    """Proteins of a FASTA file: rows are crops of `length` neighbouring residues, one residue a token. Each distinct
    sequence is a cluster of its own, so relatives may stand in two splits. Raises ValueError for a file that cannot be
    used.
    """

    name: ClassVar[str] = "fasta"
    version: ClassVar[int] = 1

    path: str = param(note="FASTA file, plain or .gz")
    length: int = param(128, Range(1, 65536), "residues a row")
    shortest: int = param(1, Range(1, 65536), "residues of a protein that rows are cut from, at least")
    longest: int = param(65536, Range(1, 65536), "and at most: a bucket of lengths")

    def __post_init__(self) -> None:
        check(self)

    def content(self) -> Content:
        """All proteins of the file, read once. Raises ValueError for a file that is not there or holds none."""
        path = there(self.path, "give the path of a FASTA file, plain or .gz")
        return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: Path, _modified_ns: int) -> Content:
    sequences = sorted(set(read_fasta_file(unmarked(path))[0].values()))
    if not sequences:
        raise ValueError(f"{path.name} holds no sequence of the 20 amino acids {AMINO}: give another FASTA file")
    n = len(sequences)
    place = permutation(0, torch.tensor([0]), Stream.DATA, n)[0].argsort().numpy()    # (n,) each once
    split = np.searchsorted(np.array(SHARES) * n, 100 * place, side="right").astype(np.uint8)
    residues = encode(b"".join(sequences)).numpy()
    starts = np.cumsum([0, *map(len, sequences)])
    return Content(residues, starts, np.arange(n), split, hashlib.sha256(b"\n".join(sequences)).hexdigest())


def unmarked(path: Path) -> Path:
    """The path. Raises ValueError, with the remedy, for a file that begins with a byte-order mark: it is UTF-8 as some
    editors save it, and no FASTA.
    """
    try:
        with path.open("rb") as file:
            marked = file.read(len(BOM_UTF8)) == BOM_UTF8
    except OSError:    # whoever reads it says why
        marked = False
    if marked:
        raise ValueError(f"{path.name} begins with a byte-order mark: save it as UTF-8 without one (in most editors a "
                         "choice of encoding)")
    return path
