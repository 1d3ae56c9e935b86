"""An exact law: every sequence of `length` symbols with its probability, small enough to list.

Weights are cubed uniforms, w_s = u_s**3, normalised: uneven enough that a sampler which writes two dependent tokens at
once is seen. State s reads as a number in base `symbols`, its first place the most significant digit.

    >>> data = Exact()
    >>> data.states().shape, round(data.law().sum().item(), 12)
    (torch.Size([81, 4]), 1.0)
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from harness.data.synthetic import Source, check_split, law_uniforms, row_uniforms
from harness.param import Range, param
from harness.random import categorical

MOST_STATES = 2**20


@dataclass(frozen=True)
class Exact(Source):
    """A law over all `symbols`**`length` sequences that can be listed, with weights drawn once from `law_seed`. Raises
    ValueError for more than 2**20 sequences.
    """

    name: ClassVar[str] = "exact"
    version: ClassVar[int] = 1

    symbols: int = param(3, Range(2, 1024), "size of the alphabet V")
    length: int = param(4, Range(1, 20), "places L")
    law_seed: int = param(0, Range(0, 2**63 - 1), "of the weights; the seed of the rows is another")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.symbols**self.length > MOST_STATES:
            raise ValueError(f"exact: {self.symbols}**{self.length} states cannot be listed; keep symbols**length at "
                             f"most {MOST_STATES}")

    def law(self) -> Tensor:
        """Probability of every state, (V**L,) float64: shared, not to be written to."""
        return _law(self.symbols, self.length, self.law_seed)

    def states(self) -> Tensor:
        """Every sequence in the order of `law`, (V**L, L) int64."""
        return torch.cartesian_prod(*[torch.arange(self.symbols)] * self.length).view(-1, self.length)

    def index(self, rows: Tensor) -> Tensor:
        """The state number of each row, (n, L) -> (n,)."""
        if rows.shape[-1] != self.length or bool(((rows < 0) | (rows >= self.symbols)).any()):
            raise ValueError(f"exact: rows must hold {self.length} symbols of 0..{self.symbols - 1} each; is a mask "
                             "left in them?")
        place = self.symbols ** torch.arange(self.length - 1, -1, -1, device=rows.device)
        return (rows * place).sum(-1)                                         # (n,)

    def log_prob(self, rows: Tensor) -> Tensor:
        """ln p of each row, (n, L) -> (n,) float64."""
        return self.law().to(rows.device).log()[self.index(rows)]             # (n,)

    def entropy_nats(self) -> float:
        """Expected -log_prob of a row, in nats."""
        return -(self.law() * self.law().log()).sum().item()

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n independent rows; the splits are independent draws from one law."""
        u = row_uniforms(seed, check_split(self.name, split), n, 1)[:, 0]     # (n,)
        return self.states()[categorical(self.law(), u)]                      # (n, L)


@lru_cache(maxsize=32)
def _law(symbols: int, length: int, law_seed: int) -> Tensor:
    weights = law_uniforms(law_seed, symbols**length) ** 3                    # (V**L,)
    return weights / weights.sum()
