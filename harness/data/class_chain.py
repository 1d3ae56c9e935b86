"""A Markov chain of subwords fitted to text, through classes: an oracle at the size of a real vocabulary.

What follows a symbol is chosen by a class, and the class by the symbol (aggregate Markov model, Saul and Pereira 1997):

    T[a, b] = (1 - eps) sum_c A[a, c] B[c, b] + eps nu[b]         nu the shares of symbols

A and B are fitted to the pairs of neighbours of the training split by expectation maximisation, from starts that
counters draw. A table of 4,096 x 4,096 has too many powers to keep; these have the rank of the classes, and the
exact network of it (harness/nets/class_chain.py) passes messages of so many numbers along the row. As in a hidden
Markov model: only that the class forgets all but the symbol before it.

    ClassChain(Prose(length=128)).rows("test", n=8, seed=0)                        # (8, 128)
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from harness.data.markov import MarkovLaw
from harness.data.prose import Prose
from harness.data.synthetic import law_uniforms
from harness.kinds import Dataset
from harness.nets.chain import stationary_of
from harness.param import Range, check, param

CHUNK = 1 << 16    # pairs of neighbours that are looked at at once


@dataclass(frozen=True)
class ClassChain(MarkovLaw):
    """A Markov chain of subwords of low rank, fitted to the training split of a text by expectation maximisation (Saul
    and Pereira 1997). Its law is known at the size of a real vocabulary. Raises ValueError for data that are no text,
    or whose vocabulary is larger than `symbols` and has no merges to undo.
    """

    data: Dataset = field(default_factory=lambda: cast(Dataset, Prose(length=128)))
    symbols: int = param(4096, Range(256, 65536), "of the text's tokenizer, the first; merges behind them are undone")
    classes: int = param(64, Range(2, 1024), "ranks of the transitions but one")
    rounds: int = param(20, Range(1, 1000), "of expectation maximisation")
    eps: float = param(1e-4, Range(1e-9, 0.5, log=True), "chance of any symbol")

    name: ClassVar[str] = "class_chain"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self)
        if not hasattr(self.data, "tokens"):
            raise ValueError(f"{getattr(self.data, 'name', self.data)} is no text to fit a chain to: choose a data set "
                             "that is")
        if self.data.vocab > self.symbols and not hasattr(self.data, "undone"):
            raise ValueError(f"{self.data.name} has {self.data.vocab:,} symbols and no merges to undo: set symbols to "
                             "so many")

    @property
    def length(self) -> int:    # type: ignore[override]  # that of the text
        """L, tokens a row: that of the text."""
        return self.data.length

    @property
    def vocab(self) -> int:
        return min(self.symbols, self.data.vocab)

    @property
    def mask(self) -> int:
        return self.vocab

    def decode(self, rows: Tensor) -> list[str]:
        inner: Any = self.data
        return list(inner.decode(torch.where(rows == self.mask, inner.mask, rows)))

    def factors(self) -> tuple[Tensor, Tensor]:
        """A (V, C + 1) and B (C + 1, V), rows sum to one, T = A B: shared, not to be written to."""
        return _fitted(self, json.dumps(self.identity(), sort_keys=True))[:2]

    def stationary(self) -> Tensor:
        """pi, (V,) float64: shared, not to be written to."""
        return _fitted(self, json.dumps(self.identity(), sort_keys=True))[2]

    def followers(self, this: Tensor) -> Tensor:
        """this (n,) symbols -> T[this, .] (n, V) float64."""
        a, b = self.factors()
        return a[this] @ b

    def chance(self, this: Tensor, following: Tensor) -> Tensor:
        """Symbols (...) and (...) -> T[this, following] (...) float64, without a table of V x V."""
        a, b = (t.to(this.device) for t in self.factors())
        pairs = torch.stack([this.flatten(), following.flatten()]).split(CHUNK, 1)
        return torch.cat([(a[x] * b.T[y]).sum(1) for x, y in pairs]).view(this.shape)

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "data": self.data.identity(), "symbols": self.symbols,
                "classes": self.classes, "rounds": self.rounds, "eps": self.eps}


@lru_cache(maxsize=4)
def _fitted(chain: ClassChain, _identity: str) -> tuple[Tensor, Tensor, Tensor]:
    inner: Any = chain.data
    v, text = chain.vocab, inner.tokens("train")
    text = (inner.undone(text, v) if v < chain.data.vocab else text).long()        # (tokens,)
    pairs, seen = torch.unique(text[:-1] * v + text[1:], return_counts=True)       # (P,) each
    a, b = maximised(pairs // v, pairs % v, seen.double(), v, chain.classes, chain.rounds)
    share = torch.bincount(text, minlength=v) + 1.0                                # one that never came has a chance
    share = (share / share.sum()).double()
    a = torch.cat(((1 - chain.eps) * a, torch.full((v, 1), chain.eps, dtype=torch.float64)), 1)    # (V, C + 1)
    b = torch.cat((b, share[None]))                                                # (C + 1, V)
    return a, b, stationary_of(b @ a) @ b    # pi = pi A B, and pi A is the stationary law of classes, m = m B A


def maximised(this: Tensor, following: Tensor, seen: Tensor, v: int, classes: int,
              rounds: int) -> tuple[Tensor, Tensor]:
    """Pairs of symbols (P,), (P,) and how often they came (P,) -> A (V, C), B (C, V), float64."""
    drawn = law_uniforms(0, 2 * v * classes).view(2, v, classes)
    share = torch.zeros(v, dtype=torch.float64).index_add(0, following, seen)      # (V,)
    a, b = normal(drawn[0]), normal(((0.5 + drawn[1]) * share[:, None]).T)
    where = torch.stack((this, following))
    for _ in range(rounds):
        p = torch.cat([(a[x] * b.T[y]).sum(1) for x, y in where.split(CHUNK, 1)])  # (P,)
        owed = torch.sparse_coo_tensor(where, seen / p, (v, v), is_coalesced=True, check_invariants=True)
        a, b = normal(a * (owed @ b.T)), normal(b * (owed.T @ a).T)
    return a, b


def normal(weights: Tensor) -> Tensor:
    """Rows that sum to one; a row of nothing becomes even."""
    total = weights.sum(1, keepdim=True)
    return torch.where(total > 0, weights / total.clamp_min(1e-300), 1 / weights.shape[1])
