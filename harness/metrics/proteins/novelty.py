"""Novelty and diversity of protein rows by identity, as harness/metrics/proteins/neighbours.py defines it.

nearest_identity    mean over rows of the identity with the nearest training protein. Rows copied from training are at
                    1; held-out rows show the level of new natural proteins, shuffled ones that of chance. To be
                    matched: too high is memory, too low is noise.
clusters            clusters per row when rows are grouped greedily, in their order: a row joins the first earlier
                    representative with which its identity is at least `alike`, among the CANDIDATES earlier and later
                    rows that share most words with it. 1: all differ. A value of the whole set, for arms of equal n and
                    L.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, whole
from harness.metrics.proteins.neighbours import aligner, candidates, identities, nearest
from harness.metrics.proteins.residue_grams import protein_rows, proteins
from harness.param import Range, check, param

CANDIDATES = 64


@dataclass(frozen=True)
class NearestIdentity:
    """Mean over rows of the identity with the nearest training protein, as a share of the row's residues. To match that
    of held-out rows. Raises ValueError for data that hold no proteins, or where pyopal is missing.
    """

    name: ClassVar[str] = "nearest_identity"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "share of residues"

    candidates: int = param(32, Range(0, 4096), "training proteins a row is aligned with; 0: all, some seconds a row")

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        rows = protein_rows(samples, data)
        known = proteins(data).proteins("train")
        return ratio(nearest(rows, known, self.candidates), np.ones(len(rows)), self.name)


@dataclass(frozen=True)
class Clusters:
    """Clusters per row when rows are grouped greedily by identity, 1 where all differ, a value of the whole set. To
    match that of held-out rows, at equal n and L. Raises ValueError as NearestIdentity does.
    """

    name: ClassVar[str] = "clusters"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "clusters a row"

    alike: float = param(0.5, Range(0.2, 1.0), "identity from which on two rows are in one cluster")

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        rows, tool = protein_rows(samples, data), aligner()
        first: set[int] = set()
        for k, alike in enumerate(candidates(rows, list(rows), CANDIDATES)):
            earlier = [int(j) for j in alike if j in first]
            if not (identities(tool, rows[k], [rows[j] for j in earlier]) >= self.alike).any():
                first.add(k)
        return whole(len(first) / len(rows), self.name)
