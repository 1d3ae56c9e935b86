"""How like each other molecules are by their fingerprints, as MOSES has it: Morgan's of radius 2 in 1,024 bits, and
Tanimoto's similarity.

snn                  of each valid row to the held-out molecule that is nearest, a mean
internal_diversity   1 - mean over pairs of valid rows of their similarity, a row with itself among them; with p = 2
                     each row's mean is that of squares, and its root is taken
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.data.smiles import chem, sound
from harness.kinds import Dataset, Scores
from harness.metrics.form import linearised, ratio
from harness.metrics.molecules.chemistry import canonical_rows, counted
from harness.metrics.molecules.reference import Against
from harness.param import Range, check, param

BITS, RADIUS, CHUNK = 1024, 2, 4096


@lru_cache(maxsize=1)
def _maker() -> Any:
    chem()
    from rdkit.Chem import rdFingerprintGenerator
    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)


def fingerprints(found: Sequence[Any]) -> np.ndarray:
    """RDKit's molecules (m,) -> bits (m, 1024) uint8."""
    return np.stack([_maker().GetFingerprintAsNumPy(one) for one in found]) if found else np.zeros((0, BITS), np.uint8)


def tanimoto(a: Tensor, b: Tensor) -> Tensor:
    """Bits (m, D) and (n, D) float32 -> (m, n); 1 where both have none."""
    both = a @ b.T                                                                 # (m, n)
    either = a.sum(1)[:, None] + b.sum(1) - both
    return torch.where(either > 0, both / either, 1.0)


@dataclass(frozen=True)
class Snn(Against):
    """Mean over valid rows of the Tanimoto similarity with the nearest held-out molecule, 0 to 1. Higher is better.
    Raises ValueError where no row is a valid molecule, or for a reference file that is missing or of other molecules.
    """

    name: ClassVar[str] = "snn"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "Tanimoto similarity"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        which = counted(found, self.name, 1)
        mine, theirs = torch.from_numpy(fingerprints(sound(found))).float(), self.of("fingerprints", data)
        nearest = torch.zeros(len(mine))
        for first in range(0, len(theirs), CHUNK):
            some = torch.from_numpy(np.unpackbits(theirs[first : first + CHUNK], axis=1)).float()   # (<=CHUNK, 1024)
            nearest = nearest.maximum(tanimoto(mine, some).amax(1))
        over = np.zeros(len(which))
        over[which] = nearest.double().numpy()
        return ratio(over, which, self.name)


@dataclass(frozen=True)
class InternalDiversity:
    """1 minus the mean Tanimoto similarity of pairs of valid rows, 0 to 1. Higher is better. With p = 2 each row's mean
    is the root of that of squares. Raises ValueError for fewer than two valid molecules.
    """

    name: ClassVar[str] = "internal_diversity"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "1 - Tanimoto similarity"

    p: int = param(1, Range(1, 2))

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        which = counted(found, self.name)
        x = torch.from_numpy(fingerprints(sound(found))).float()                   # (m, 1024)
        each, back = torch.zeros(len(x), dtype=torch.float64), torch.zeros(len(x), dtype=torch.float64)
        for first in range(0, len(x), CHUNK):                                      # rows; a similarity is symmetric
            alike = tanimoto(x[first : first + CHUNK], x).double() ** self.p       # (<=CHUNK, m)
            mean = alike.mean(1) ** (1 / self.p)                                   # g of these rows
            each[first : first + CHUNK] = mean
            back += ((alike - mean[:, None] ** self.p) / (self.p * mean[:, None] ** (self.p - 1))).sum(0) / len(x)
        return linearised(float(1 - each.mean()), -(each + back).numpy(), which, self.name)
