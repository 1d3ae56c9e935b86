"""Swiss-Prot clustered at 50 % identity, from a file that `ssmd-bench data proteins` builds (docs/proteins.md): CC BY
4.0, UniProt; see its card.

Splits are drawn by cluster, and no protein of validation or test has a relative in train or judge that MMseqs2 finds at
40 % identity over 40 residues; those that had one are in the split `near`, which is neither trained on nor tested with,
but shows what such a leak is worth. The split is part of the file, hence of the identity. Training draws a cluster, one
of its proteins, a place in it; held-out rows are one crop a cluster. `shortest` and `longest` choose a bucket of
protein lengths.

    Proteins(path="runs/proteins.npz", length=128).rows("test", n=8, seed=0)       # (8, 128)
"""

import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from harness.boundary.incoming import decode
from harness.boundary.there import there
from harness.data.residues import SPLITS, Content, Sequences
from harness.param import Range, check, param

BUILT = "runs/proteins.npz"
REMEDY = "build it with `ssmd-bench data proteins --out FILE` and give its path (docs/proteins.md)"
ARRAYS = {"residues": np.uint8, "starts": np.int64, "cluster": np.int64, "split": np.uint8, "accession": np.uint8,
          "profiles": np.uint8, "about": np.uint8}


@dataclass(frozen=True)
class Proteins(Sequences):
    """Swiss-Prot clustered at 50 % identity: rows are crops of `length` neighbouring residues, one residue a token.
    Splits are drawn by cluster. Raises ValueError for a file that is not there or not whole.
    """

    name: ClassVar[str] = "proteins"
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[str, ...]] = (*SPLITS, "near")

    path: str = param(BUILT, note="file that `ssmd-bench data proteins` wrote")
    length: int = param(128, Range(1, 65536), "residues a row")
    shortest: int = param(1, Range(1, 65536), "residues of a protein that rows are cut from, at least")
    longest: int = param(65536, Range(1, 65536), "and at most: a bucket of lengths")

    def __post_init__(self) -> None:
        check(self)

    def content(self) -> Content:
        """All proteins of the file, read once. Raises ValueError for a file that is not there or not whole."""
        return self._file()[0]

    def about(self) -> dict:
        """What the builder wrote down: source, settings, counts."""
        return json.loads(self._file()[1]["about"].tobytes())

    def accessions(self, split: str) -> list[str]:
        """UniProt accessions of the split's proteins, in the order of `proteins`: the attribution that the licence asks
        for.
        """
        content, extra = self._file()
        names = extra["accession"].tobytes().decode().splitlines()
        return [names[k] for k in np.flatnonzero(content.split[content.cluster] == self._number(split))]

    def profiles(self) -> bytes:
        """Profile HMMs of large training clusters, HMMER3 text."""
        return self._file()[1]["profiles"].tobytes()

    def _file(self) -> tuple[Content, dict[str, np.ndarray]]:
        path = there(self.path, REMEDY)
        return _load(path, path.stat().st_mtime_ns)


def digest(arrays: dict[str, np.ndarray]) -> str:
    """sha256 of the proteins, their clusters and their splits."""
    found = hashlib.sha256()
    for key in ("residues", "starts", "cluster", "split"):
        found.update(np.ascontiguousarray(arrays[key], ARRAYS[key]).tobytes())
    return found.hexdigest()


@lru_cache(maxsize=2)
def _load(path: Path, _modified_ns: int) -> tuple[Content, dict[str, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ARRAYS}
        about = decode(arrays["about"].tobytes(), dict[str, Any], "what it says of itself",
                       "it is not as it was written")
        whole = (
            all(arrays[key].dtype == kind and arrays[key].ndim == 1 for key, kind in ARRAYS.items())
            and digest(arrays) == about["sha256"]
        )
    except (OSError, EOFError, KeyError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name!r} cannot be read ({error}): {REMEDY}") from error
    if not whole:
        raise ValueError(f"{path.name!r} does not hold the proteins that it says it holds, the sha256 differs: "
                         f"{REMEDY}")
    return (Content(arrays["residues"], arrays["starts"], arrays["cluster"], arrays["split"], about["sha256"]),
            {key: arrays[key] for key in ("accession", "profiles", "about")})
