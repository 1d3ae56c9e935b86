"""Validity: the share of rows that are molecules (harness/metrics/molecules/chemistry.py), as MOSES counts it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio
from harness.metrics.molecules.chemistry import canonical_rows


@dataclass(frozen=True)
class Validity:
    """Share of rows that RDKit reads as a molecule. Higher is better. Raises ValueError for data that hold no
    molecules.
    """

    name: ClassVar[str] = "validity"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of rows"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        return ratio([one is not None for one in found], np.ones(len(found)), self.name)
