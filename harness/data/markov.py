"""A stationary first-order Markov source: any length, any number of rows, exact likelihood, known entropy.

Transitions are cubed uniforms normalised by row, T[a, b] = P(next = b | this = a), all positive; the first symbol comes
from the stationary law pi = pi T. Entropy rate h = -sum_a pi_a sum_b T_ab ln T_ab nats a symbol; a row of L symbols has
H(pi) + (L - 1) h.

    >>> data = Markov(symbols=4, length=64)
    >>> data.log_prob(data.rows("test", n=2, seed=0)).shape
    torch.Size([2])
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from harness.data.synthetic import Source, check_split, law_uniforms, row_uniforms
from harness.nets.chain import stationary_of
from harness.param import Range, param
from harness.random import categorical

CHUNK = 1024    # symbols whose followers are looked at at once

class MarkovLaw:
    """What follows of what follows a symbol, and of the stationary law. One has `vocab`, `length` and a `name` beside
    them.
    """

    name: ClassVar[str]
    length: int

    def stationary(self) -> Tensor:
        """pi, (V,) float64: shared, not to be written to."""
        raise NotImplementedError

    def followers(self, this: Tensor) -> Tensor:
        """this (n,) symbols -> T[this, .] (n, V) float64."""
        raise NotImplementedError

    def chance(self, this: Tensor, following: Tensor) -> Tensor:
        """Symbols (...) and (...) -> T[this, following] (...) float64."""
        raise NotImplementedError

    def entropy_rate_nats(self) -> float:
        """h, nats a symbol."""
        pi, each = self.stationary(), []
        for these in torch.arange(len(pi)).split(CHUNK):
            t = self.followers(these)                                         # (CHUNK, V)
            each.append((t * t.log()).sum(1))
        return -(pi @ torch.cat(each)).item()

    def entropy_nats(self) -> float:
        """Expected -log_prob of a row, in nats."""
        pi = self.stationary()
        return -(pi @ pi.log()).item() + (self.length - 1) * self.entropy_rate_nats()

    def log_prob(self, rows: Tensor) -> Tensor:
        """ln p of each row, (n, L) -> (n,) float64. Raises ValueError for what is no symbol."""
        pi = self.stationary()
        if bool(((rows < 0) | (rows >= len(pi))).any()):
            raise ValueError(f"{self.name}: rows must hold symbols of 0..{len(pi) - 1}; is a mask left in them?")
        return pi.to(rows.device).log()[rows[:, 0]] + self.chance(rows[:, :-1], rows[:, 1:]).log().sum(1)    # (n,)

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n independent rows; the splits are independent draws from one law."""
        u = row_uniforms(seed, check_split(self.name, split), n, self.length)   # (n, L)
        rows = torch.empty(n, self.length, dtype=torch.int64)                 # (n, L)
        rows[:, 0] = categorical(self.stationary().expand(n, -1), u[:, 0])
        for i in range(1, self.length):
            rows[:, i] = categorical(self.followers(rows[:, i - 1]), u[:, i].contiguous())
        return rows


class Transitions(MarkovLaw):
    """MarkovLaw of a table of transitions, T (V, V)."""

    def transition(self) -> Tensor:
        """T[this, next], (V, V) float64: shared, not to be written to."""
        raise NotImplementedError

    def followers(self, this: Tensor) -> Tensor:
        """this (n,) symbols -> T[this, .] (n, V) float64."""
        return self.transition()[this]

    def chance(self, this: Tensor, following: Tensor) -> Tensor:
        """Symbols (...) and (...) -> T[this, following] (...) float64."""
        return self.transition().to(this.device)[this, following]


@dataclass(frozen=True)
class Markov(Transitions, Source):
    """A stationary first-order Markov source with random transitions, drawn once from `law_seed`. Likelihood and
    entropy rate are known exactly, in nats.
    """

    name: ClassVar[str] = "markov"
    version: ClassVar[int] = 1

    symbols: int = param(8, Range(2, 1024), "size of the alphabet V")
    length: int = param(64, Range(1, 65536), "symbols a row")
    law_seed: int = param(0, Range(0, 2**63 - 1), "of the transitions; the seed of the rows is another")

    def transition(self) -> Tensor:
        """T[this, next], (V, V) float64: shared, not to be written to."""
        return _law(self.symbols, self.law_seed)[0]

    def stationary(self) -> Tensor:
        """pi, (V,) float64: shared, not to be written to."""
        return _law(self.symbols, self.law_seed)[1]


@lru_cache(maxsize=32)
def _law(symbols: int, law_seed: int) -> tuple[Tensor, Tensor]:
    t = law_uniforms(law_seed, symbols * symbols).view(symbols, symbols) ** 3
    t = t / t.sum(1, keepdim=True)                                            # (V, V)
    return t, stationary_of(t)                                                # (V, V), (V,)
