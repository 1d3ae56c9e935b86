"""Independent tokens of a Zipf law with a large alphabet: nothing to learn, everything known. For faults that only many
symbols show.

p_v proportional to (v + 1)**-exponent, v = 0..V-1. At V = 50,257 and exponent 1 its entropy is 7.57 nats.

    >>> data = Zipf(length=8)
    >>> data.rows("test", n=2, seed=0).shape, round(data.entropy_nats() / 8, 2)
    (torch.Size([2, 8]), 7.57)
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from harness.data.synthetic import Source, check_split, row_uniforms
from harness.param import Range, param
from harness.random import categorical


@dataclass(frozen=True)
class Zipf(Source):
    """Independent tokens of a Zipf law, p_v proportional to (v + 1)**-exponent, v from 0 to V - 1. `length` tokens a
    row.
    """

    name: ClassVar[str] = "zipf"
    version: ClassVar[int] = 1

    symbols: int = param(50_257, Range(2, 2**20), "size of the alphabet V")
    length: int = param(64, Range(1, 65536), "symbols a row")
    exponent: float = param(1.0, Range(0.0, 8.0))

    def law(self) -> Tensor:
        """Probability of every symbol, (V,) float64: shared, not to be written to."""
        return _law(self.symbols, self.exponent)

    def entropy_nats(self) -> float:
        """Expected -log_prob of a row, in nats."""
        return -self.length * (self.law() @ self.law().log()).item()

    def log_prob(self, rows: Tensor) -> Tensor:
        """ln p of each row, (n, L) -> (n,) float64."""
        if bool(((rows < 0) | (rows >= self.symbols)).any()):
            raise ValueError(f"zipf: rows must hold symbols of 0..{self.symbols - 1}; is a mask left in them?")
        return self.law().to(rows.device).log()[rows].sum(1)                  # (n,)

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n independent rows; the splits are independent draws from one law."""
        return categorical(self.law(), row_uniforms(seed, check_split(self.name, split), n, self.length))   # (n, L)


@lru_cache(maxsize=8)
def _law(symbols: int, exponent: float) -> Tensor:
    weights = torch.arange(1, symbols + 1, dtype=torch.float64) ** -exponent  # (V,)
    return weights / weights.sum()
