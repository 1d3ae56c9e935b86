"""Distance to a law that can be listed: total variation, and how large it is by chance alone.

    TV(c, P) = 1/2 sum_s |c_s / n - P_s|        c_s of n samples are in state s

Under the law itself TV is about 1/2 sqrt(2/pi) sum_s sqrt(P_s (1 - P_s) / n): the noise floor. A law test passes while
TV is below a high quantile of its null distribution, which is simulated: multinomial draws give its mean, deviation and
skewness g, and the quantile is mean + deviation (z + g (z^2 - 1) / 6) (Cornish and Fisher, 1938), z that of the normal
law. So a tail of 1 in 10,000 needs 1,000 draws; for 8,192 samples of 81 states it is right within 2 %, and with fewer
states too large rather than too small.

    >>> total_variation([3, 1], [0.5, 0.5])
    0.25
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, tokens, whole
from harness.random import Stream, categorical, uniform


def total_variation(counts: Tensor | Sequence[float], law: Tensor | Sequence[float]) -> float:
    """Half the sum of absolute differences between counts (S,), normalised, and the law (S,)."""
    counts, law = (torch.as_tensor(x, dtype=torch.float64).flatten() for x in (counts, law))   # (S,), (S,)
    if counts.shape != law.shape or counts.sum() <= 0:
        raise ValueError(f"{len(counts)} counts that sum to {counts.sum():g} cannot be compared with a law of "
                         f"{len(law)} states")
    return 0.5 * (counts / counts.sum() - law).abs().sum().item()


def null_quantile(law: Tensor | Sequence[float], n: int, share: float = 0.9999, draws: int = 1000,
                  seed: int = 0) -> float:
    """The value that total variation of n samples from the law itself stays below with probability `share`."""
    mean, deviation, skewness = _null_moments(tuple(torch.as_tensor(law, dtype=torch.float64).flatten().tolist()), n,
                                              draws, seed)
    z = NormalDist().inv_cdf(share)
    return mean + deviation * (z + skewness * (z * z - 1) / 6)


@lru_cache(maxsize=32)
def _null_moments(law: tuple[float, ...], n: int, draws: int, seed: int) -> tuple[float, float, float]:
    p, at = torch.tensor(law, dtype=torch.float64), torch.arange(n)                # (S,), (n,)
    found = []
    for draw in range(draws):
        state = categorical(p, uniform(seed, torch.tensor([draw]), Stream.RESAMPLE, at)[0])    # (n,)
        found.append(total_variation(torch.bincount(state, minlength=len(p)), p))
    tv = torch.tensor(found, dtype=torch.float64)                                  # (draws,)
    deviation = tv.std().clamp_min(1e-300)                                         # a law of one state has none
    return tv.mean().item(), deviation.item(), (((tv - tv.mean()) / deviation) ** 3).mean().item()


@dataclass(frozen=True)
class LawTv:
    """Total variation between the samples and a law whose states can be listed, 0 to 1, a value of the whole set. Lower
    is better, down to the noise floor. Raises ValueError for data whose states cannot be listed.
    """

    name: ClassVar[str] = "law_tv"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "total variation"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        if not hasattr(data, "law") or not hasattr(data, "index"):
            raise ValueError(f"the states of {data.name} cannot be listed: choose exact_nll or a judge")
        # one more for rows that are no state, where the data set knows such
        law = torch.cat((data.law(), data.law().new_zeros(1)))                     # (S + 1,)
        counts = torch.bincount(data.index(tokens(samples, data)), minlength=len(law))
        return whole(total_variation(counts, law), self.name)


@dataclass(frozen=True)
class Legal:
    """Share of rows that are a state of the world that the data set lists (harness/data/worlds.py). Raises ValueError
    for other data.
    """

    name: ClassVar[str] = "legal"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of rows"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        if not hasattr(data, "legal"):
            raise ValueError(f"{data.name} has no list of legal states: choose the data set world")
        found = data.legal(tokens(samples, data)).numpy()
        return ratio(found, np.ones(len(found)), self.name)
