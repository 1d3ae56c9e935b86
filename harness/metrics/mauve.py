"""MAUVE: how alike the samples and held-out text are as two clouds of vectors, from what each has and the other lacks
(Pillutla et al., arXiv 2102.01454).

An encoder (harness/nets/encoder.py) makes a vector of every row; vectors of n samples and of n reference rows, of
length 1 and projected on the principal components that hold 0.9 of their variance, are clustered together into `bins`
cells by k-means, which gives histograms P of the reference and Q of the samples. With R = l P + (1 - l) Q,

    x(l) = exp(-c KL(Q || R)),   y(l) = exp(-c KL(P || R)),   0 <= l <= 1        the divergence frontier; c = 5
    mauve = area under it, with (0, 1) and (1, 0)    1: one law; 1 / (2c choose c) = 1/252: laws that share no cell

in float64. It depends on n: n is fixed, fewer samples are refused and further ones are not looked at. The reference is
the first n rows of a split, the same for every arm; `frozen`, its sha256 as `reference(data)` says it, is in the record
and refuses any other. A control of held-out rows takes those of another split. MAUVE sees topic and spelling better
than the order of words, and has no rows to resample, hence no interval: what two arms of the same law differ by is seen
between seeds.

    >>> round(area([0.5, 0.5], [0.5, 0.5]), 9), round(area([1, 0], [0, 1]) * 252, 3)
    (1.0, 1.0)
"""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.special import rel_entr
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import tokens, whole
from harness.nets.encoder import Hidden, JudgeStates
from harness.param import Range, check, param
from harness.random import Stream, uniform
from harness.spec import canonical

KEPT, ROUNDS, RESTARTS, MIXTURES = 0.9, 100, 5, 4001


@dataclass(frozen=True)
class Mauve:
    """MAUVE between the first `n` samples and `n` reference rows (Pillutla et al., arXiv 2102.01454): the area under a
    divergence frontier, 1 for one law. Higher is better, at equal n. Raises ValueError for fewer samples than `n`, or
    for reference rows that are not the `frozen` ones.
    """

    name: ClassVar[str] = "mauve"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "area under the divergence frontier"

    n: int = param(1024, Range(20, 2**20), "samples, and reference rows: exactly so many")
    split: str = param("validation", note="of the reference rows")
    encoder: JudgeStates | Hidden = JudgeStates()
    bins: int = param(0, Range(0, 2**16), "cells of the clustering; 0: a tenth of n")
    scaling: float = param(5.0, Range(0.01, 100.0), "c")
    seed: int = param(0, Range(0, 2**31), "of the reference rows and of the clustering")
    frozen: str = param("", note="sha256 that the reference must have; empty: any")

    def __post_init__(self) -> None:
        check(self)

    def identity(self) -> dict[str, Any]:
        """What the key of a score holds; that of its cell holds the data."""
        return {"name": self.name, "version": self.version, "n": self.n, "split": self.split,
                "encoder": self.encoder.identity(), "bins": self.cells(), "scaling": self.scaling,
                "seed": self.seed, **({"frozen": self.frozen} if self.frozen else {})}

    def cells(self) -> int:
        """Cells of the clustering: `bins`, or a tenth of n where that is 0."""
        return self.bins or self.n // 10

    def reference(self, data: Dataset) -> dict[str, Any]:
        """What it compares with. Raises ValueError if that is not the frozen one."""
        sha = hashlib.sha256(self._rows(data).numpy().tobytes()).hexdigest()
        if self.frozen and self.frozen != sha:
            raise ValueError(f"the reference rows of {data.name} have the sha256 {sha[:12]}..., not the frozen "
                             f"{self.frozen[:12]}...: give the same data, or leave `frozen` empty")
        return {"split": self.split, "n": self.n, "seed": self.seed, "sha256": sha}

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        rows = tokens(samples, data)
        if len(rows) < self.n:
            raise ValueError(f"MAUVE depends on the number of samples, which is fixed at n={self.n}, and there are "
                             f"{len(rows)}: sample more, or lower n for every arm alike")
        self.reference(data)
        theirs = _reference(self, canonical(self.identity()), data)
        mine = self.encoder.embed(rows[: self.n], data).numpy()
        return whole(mauve(theirs, mine, self.cells(), self.scaling, self.seed), self.name)

    def _rows(self, data: Dataset) -> Tensor:
        return data.rows(self.split, self.n, self.seed)


@lru_cache(maxsize=2)
def _reference(metric: Mauve, _identity: str, data: Dataset) -> np.ndarray:
    return metric.encoder.embed(metric._rows(data), data).numpy()


def mauve(reference: np.ndarray, samples: np.ndarray, bins: int, scaling: float = 5.0, seed: int = 0) -> float:
    """Of vectors (n, d) and (m, d). Raises ValueError if they are fewer than the cells."""
    cells = quantised(np.concatenate((reference, samples)), bins, seed)            # (n + m,)
    p, q = (np.bincount(part, minlength=bins) / len(part) for part in (cells[: len(reference)], cells[len(reference):]))
    return area(p, q, scaling)


def area(p: Sequence[float] | np.ndarray, q: Sequence[float] | np.ndarray, scaling: float = 5.0) -> float:
    """Under the divergence frontier of two histograms (K,), each normalised here."""
    p, q = (np.asarray(h, np.float64) / np.sum(h) for h in (p, q))
    share = np.linspace(0, 1, MIXTURES)[:, None]                                   # of p, (MIXTURES, 1)
    mixed = share * p + (1 - share) * q                                            # (MIXTURES, K)
    x, y = (np.exp(-scaling * rel_entr(h, mixed).sum(1)) for h in (q, p))          # from (1, y(0)) to (x(1), 1)
    x, y = np.concatenate(([1.0], x, [0.0])), np.concatenate(([0.0], y, [1.0]))
    return float(-np.trapezoid(y, x))


def quantised(vectors: np.ndarray, bins: int, seed: int) -> np.ndarray:
    """The cell of each vector (n, d) -> (n,): k-means of the best of RESTARTS, begun by k-means++ (Arthur and
    Vassilvitskii, 2007).
    """
    if not np.isfinite(vectors).all():
        raise ValueError("the encoder gives vectors that are not finite: choose another layer, or float32")
    points = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    from scipy.cluster.vq import kmeans2, vq  # a quarter of a second, in every process that finds the plug-ins

    _, spread, axes = np.linalg.svd(points - points.mean(0), full_matrices=False)
    share = np.cumsum(spread**2) / max((spread**2).sum(), 1e-300)
    points = (points - points.mean(0)) @ axes[: 1 + int(np.searchsorted(share, KEPT))].T  # (n, kept)
    if bins > len(np.unique(points, axis=0)):
        raise ValueError(f"{len(vectors)} vectors, of which {len(np.unique(points, axis=0))} differ, do not fill "
                         f"{bins} cells: choose fewer bins, or another encoder")
    found = []
    for restart in range(RESTARTS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)    # of a cell that empties, which keeps its centre
            centres, _ = kmeans2(points, _plus_plus(points, bins, seed, restart), iter=ROUNDS, minit="matrix")
        cells, far = vq(points, centres)
        found.append(((far**2).sum(), restart, cells))
    return min(found)[2]


def _plus_plus(points: np.ndarray, bins: int, seed: int, restart: int) -> np.ndarray:
    """First centres: each a point drawn in proportion to its squared distance from those before it, (bins, d)."""
    draws = uniform(seed, torch.tensor([restart]), Stream.RESAMPLE, torch.arange(bins))[0].numpy()  # (bins,)
    chosen = [int(draws[0] * len(points))]
    far = ((points - points[chosen[0]]) ** 2).sum(1)                               # (n,)
    for u in draws[1:]:
        total = far.cumsum()
        chosen.append(min(int(np.searchsorted(total, u * total[-1], side="right")), len(points) - 1))
        far = np.minimum(far, ((points - points[chosen[-1]]) ** 2).sum(1))
    return points[chosen]
