"""How far the letters of protein rows are from those of training crops.

composition      total variation between the amino acids of all rows and of CROPS training crops drawn as training draws
                 them
kmer_distance    the same for words of `order` residues

Both are of the whole set. Words of a finite sample are never quite those of another, so that the level to compare with
is that of held-out rows, of equal n and L.

    >>> import torch
    >>> distance(np.array([[0, 0, 1, 1]]), np.array([[0, 0, 0, 1]]), order=1)
    0.25
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol, TypeGuard

import numpy as np
import torch
from torch import Tensor

from harness.data.residues import AMINO
from harness.kinds import Dataset, Scores
from harness.metrics.form import tokens, whole
from harness.metrics.grams import numbers
from harness.metrics.law import total_variation
from harness.param import Range, check, param

CROPS = 8192


class Proteins(Dataset, Protocol):
    """A data set of proteins: those of a split, rows as letters, and places of a split cut out for training."""

    def proteins(self, split: str) -> list[np.ndarray]: ...    # (residues,) uint8 each
    def decode(self, rows: Tensor) -> list[str]: ...
    def crops(self, split: str, rows: Tensor, seed: int) -> Tensor: ...    # (n, L)


def _of_proteins(data: Dataset) -> TypeGuard[Proteins]:
    return hasattr(data, "proteins")


def proteins(data: Dataset) -> Proteins:
    """The data set. Raises ValueError if it is not of proteins."""
    if not _of_proteins(data):
        raise ValueError(f"{data.name} holds no proteins: choose a metric of tokens or of text, or the data set "
                         "proteins or fasta")
    return data


def protein_rows(samples: Tensor, data: Dataset) -> np.ndarray:
    """(n, L) uint8. Raises ValueError if the data set is not of proteins, or if a row holds what is no amino acid."""
    proteins(data)
    return tokens(samples, data).numpy().astype(np.uint8)


def _counts(rows: np.ndarray, order: int) -> np.ndarray:
    if rows.shape[1] < order:
        raise ValueError(f"rows of {rows.shape[1]} residues hold no word of {order}: choose a lower order or longer "
                         "rows")
    # (20**order,)
    return np.bincount(numbers(rows.astype(np.int64), len(AMINO), order).ravel(), minlength=len(AMINO) ** order)


def distance(rows: np.ndarray, others: np.ndarray, order: int) -> float:
    """Total variation between the words of two sets of rows, (n, L) and (m, L), 0 to 1."""
    law = _counts(others, order)
    return total_variation(torch.from_numpy(_counts(rows, order)), torch.from_numpy(law / law.sum()))


@lru_cache(maxsize=4)
def training_crops(data: Dataset) -> np.ndarray:
    """Crops of training proteins, (CROPS, L): shared, not to be written to."""
    return proteins(data).crops("train", torch.arange(CROPS), seed=0).numpy()


@dataclass(frozen=True)
class Composition:
    """Total variation between the amino acids of all rows and those of training crops, a value of the whole set. To
    match that of held-out rows, at equal n and L. Raises ValueError for data that hold no proteins.
    """

    name: ClassVar[str] = "composition"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "total variation"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        return whole(distance(protein_rows(samples, data), training_crops(data), 1), self.name)


@dataclass(frozen=True)
class KmerDistance:
    """Total variation between the words of `order` residues of all rows and those of training crops, a value of the
    whole set. To match that of held-out rows, at equal n and L. Raises ValueError for data that hold no proteins, or
    rows shorter than `order`.
    """

    name: ClassVar[str] = "kmer_distance"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "total variation"

    order: int = param(3, Range(2, 5), "residues of a word")

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        return whole(distance(protein_rows(samples, data), training_crops(data), self.order), self.name)
