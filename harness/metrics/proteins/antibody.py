"""Share of rows in which a variable domain of an antibody is recognised, by the profiles of ANARCI (Dunbar and Deane,
2016) as the package anarcism has them.

A domain is recognised by its frameworks: real chains are near 1, shuffled ones at 0. It says nothing of a loop.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.data.antibodies import CHAINS, regions
from harness.data.residues import decode
from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio
from harness.metrics.proteins.residue_grams import protein_rows
from harness.param import Choice, check, param


@dataclass(frozen=True)
class Recognised:
    """Share of rows in which a variable domain of `chain` is recognised, by anarcism. Higher is better. Raises
    ValueError for data that hold no proteins, or where the package is missing.
    """

    name: ClassVar[str] = "recognised"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of rows"

    chain: str = param("H", Choice(*CHAINS))

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = regions(decode(torch.from_numpy(protein_rows(samples, data))), self.chain)
        return ratio([where is not None for where in found], np.ones(len(found)), self.name)
