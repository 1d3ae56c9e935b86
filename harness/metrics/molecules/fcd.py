"""The Frechet ChemNet distance (Preuer et al., arXiv 1803.09518), as MOSES has it: of valid rows against a held-out
split.

With means m, r and covariances S, R of ChemNet's states of samples and of the split,

    FCD = |m - r|^2 + tr(S + R - 2 (R^1/2 S R^1/2)^1/2)

It falls with the number of rows, whatever their law, so it compares arms of equal n alone; the published table has
30,000. Its interval is that of its linearisation: a row with states x changes it by

    2 (m - r).(x - m) + (x - m).(1 - T)(x - m)      T = R^1/2 (R^1/2 S R^1/2)^-1/2 R^1/2

to first order, T being the linear map that carries S to R. Checked against a bootstrap by a test.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import linearised
from harness.metrics.molecules.chemistry import canonical_rows, counted
from harness.metrics.molecules.chemnet import ChemNet, of_weights, states
from harness.metrics.molecules.reference import Against, opened

LEAST = 1e-8    # of the largest root: what is smaller is no direction of the molecules


@dataclass(frozen=True)
class Fcd(Against):
    """Frechet ChemNet distance between valid rows and a held-out split, a squared distance (Preuer et al., arXiv
    1803.09518). Lower is better, at equal n. Raises ValueError for fewer than two valid molecules, or a reference file
    that is missing or of other molecules.
    """

    name: ClassVar[str] = "fcd"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "squared distance"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        which = counted(found, self.name)
        mean, covariance = self.of("mean", data), self.of("covariance")
        x = states(_network(self.reference), [one for one in found if one is not None])             # (m, 512)
        value, influence = frechet(x, mean, covariance)
        return linearised(value, influence, which, self.name)


@lru_cache(maxsize=2)
def _network(reference: str) -> ChemNet:
    weights = {name.removeprefix("chemnet."): t for name, t in opened(reference)[1].items()}
    return of_weights(weights)


def frechet(x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> tuple[float, np.ndarray]:
    """Vectors x (m, d) against a normal law: the distance, and the influence of each vector (m,)."""
    off, own = x - x.mean(0), np.cov(x.T)                                          # (m, d), (d, d)
    values, vectors = np.linalg.eigh(covariance)
    half = (vectors * np.sqrt(values.clip(0))) @ vectors.T                         # R^1/2
    values, vectors = np.linalg.eigh(half @ own @ half)
    root = np.sqrt(values.clip(0))
    between = x.mean(0) - mean
    value = between @ between + np.trace(own) + np.trace(covariance) - 2 * root.sum()
    inverse = np.where(root > LEAST * root.max(), 1 / np.maximum(root, 1e-300), 0.0)
    side = half @ (vectors * np.sqrt(inverse))                                     # T = side side'
    influence = 2 * off @ between + (off**2).sum(1) - ((off @ side) ** 2).sum(1)
    return float(value), influence
