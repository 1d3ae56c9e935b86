"""Whether the molecules are many and new, as MOSES counts it (arXiv 1811.12823).

unique      distinct molecules among the first k valid rows, over k
novelty     share of the distinct molecules of all valid rows that are no training molecule, by their SMILES

A row counts where it is the first of its molecule. A sampler that writes one molecule again and again has validity 1
and unique 1 / k. Copies of training have novelty 0, and held-out rows of the benchmark 1, since its splits share none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from torch import Tensor

from harness.data.smiles import canonical
from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio
from harness.metrics.molecules.chemistry import canonical_rows, molecules
from harness.param import Range, check, param


@dataclass(frozen=True)
class Unique:
    """Distinct molecules among the first `k` valid rows, over k. Higher is better. Raises ValueError for fewer than k
    valid rows.
    """

    name: ClassVar[str] = "unique"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of molecules"

    k: int = param(1000, Range(1, 2**24), "valid rows that are looked at: fewer are refused")

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        valid = np.array([one is not None for one in found])
        looked = valid & (valid.cumsum() <= self.k)                                # (n,)
        if looked.sum() < self.k:
            raise ValueError(f"unique(k={self.k}) needs so many valid molecules, and {looked.sum()} of {len(samples)} "
                             "rows are valid: sample more rows, or lower k")
        return ratio(looked & first(found), looked, self.name)


def first(found: Sequence[str | None]) -> np.ndarray:
    """Which rows are the first of their molecule, (n,) bool."""
    seen, new = set[str | None]({None}), np.zeros(len(found), bool)
    for k, one in enumerate(found):
        new[k] = one not in seen
        seen.add(one)
    return new


@dataclass(frozen=True)
class Novelty:
    """Share of the distinct molecules of valid rows that are no training molecule. Higher is better. Raises ValueError
    where no row is a valid molecule.
    """

    name: ClassVar[str] = "novelty"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of molecules"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        distinct = first(found)
        if not distinct.any():
            raise ValueError("novelty has nothing to look at: no row is a valid molecule")
        known = _known(molecules(data))
        return ratio(distinct & np.array([one not in known for one in found]), distinct, self.name)


@lru_cache(maxsize=2)
def _known(data) -> frozenset[str]:
    """All molecules of the benchmark's training list, as RDKit writes them: it writes [H] otherwise than the list."""
    every = (one for split in ("train", "judge", "validation") for one in data.smiles(split))
    return frozenset(canonical(one) or one if "[H]" in one else one for one in every)
