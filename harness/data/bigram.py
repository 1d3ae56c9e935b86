"""A Markov chain fitted to text: real statistics of neighbours, and a law that is known. With the exact network of it
(harness/nets/chain.py) a sampler is measured alone, without the faults of a trained one (arXiv 2602.19619).

Of each symbol the likeliest followers are kept, until they hold `mass` of its followers in the training split; then

    T = (1 - eps) T_kept + eps nu        nu the shares of symbols

so that every step has a chance. The first symbol comes from the stationary law.

    Bigram(WikipediaLeads(length=128)).rows("test", n=8, seed=0)                   # (8, 128)
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from harness.data.markov import Transitions
from harness.data.wikipedia_leads import WikipediaLeads
from harness.kinds import Dataset
from harness.nets.chain import stationary_of
from harness.param import Range, check, param

MOST = 1024    # symbols: the transitions are a square table


@dataclass(frozen=True)
class Bigram(Transitions):
    """A Markov chain fitted to the training split of a text, whose law is known. Rows are as long as those of the text.
    Raises ValueError for data that are no text, or have more than 1,024 symbols.
    """

    data: Dataset = field(default_factory=lambda: cast(Dataset, WikipediaLeads(length=128)))
    mass: float = param(0.99, Range(0.1, 1.0), "of the followers of a symbol that are kept")
    eps: float = param(1e-4, Range(1e-9, 0.5, log=True), "chance of any symbol")

    name: ClassVar[str] = "bigram"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self)
        if not hasattr(self.data, "tokens"):
            raise ValueError(f"{getattr(self.data, 'name', self.data)} is no text to fit a chain to: choose a data set "
                             "that is")
        if self.data.vocab > MOST:
            raise ValueError(f"{self.data.name} has {self.data.vocab:,} symbols, and a table of transitions is made of "
                             f"{MOST:,} at most: choose a text of characters, or a chain of classes (class_chain)")

    @property
    def length(self) -> int:    # type: ignore[override]  # that of the text
        """L, tokens a row: that of the text."""
        return self.data.length

    @property
    def vocab(self) -> int:
        return self.data.vocab

    @property
    def mask(self) -> int:
        return self.vocab

    def decode(self, rows: Tensor) -> list[str]:
        inner: Any = self.data
        return list(inner.decode(rows))

    def transition(self) -> Tensor:
        """T[this, next], (V, V) float64: shared, not to be written to."""
        return _law(self, json.dumps(self.identity(), sort_keys=True))[0]

    def stationary(self) -> Tensor:
        """pi, (V,) float64: shared, not to be written to."""
        return _law(self, json.dumps(self.identity(), sort_keys=True))[1]

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "data": self.data.identity(), "mass": self.mass,
                "eps": self.eps}


@lru_cache(maxsize=4)
def _law(chain: Bigram, _identity: str) -> tuple[Tensor, Tensor]:
    inner: Any = chain.data
    text, v = inner.tokens("train").numpy().astype(np.int64), chain.vocab
    pairs = np.bincount(text[:-1] * v + text[1:], minlength=v * v).reshape(v, v).astype(np.float64)
    share = np.bincount(text, minlength=v) + 1.0                                   # one that never came has a chance
    share /= share.sum()
    followers = np.where(pairs.sum(1, keepdims=True) > 0, pairs, share)
    followers /= followers.sum(1, keepdims=True)
    order = np.argsort(-followers, axis=1, kind="stable")
    ranked = np.take_along_axis(followers, order, 1)
    ahead = ranked.cumsum(1) - ranked < chain.mass                                 # those before it hold less than that
    kept = np.zeros_like(followers)
    np.put_along_axis(kept, order, ranked * ahead, 1)
    t = torch.from_numpy((1 - chain.eps) * kept / kept.sum(1, keepdims=True) + chain.eps * share)
    return t, stationary_of(t)                                                     # (V, V), (V,)
