"""A judge without a network: nats per token under an interpolated Witten-Bell n-gram model of the judge split.

For a context h that was seen c(h) times with T(h) distinct continuations,

    p(w | h) = (c(hw) + T(h) p(w | h')) / (c(h) + T(h)),      h' = h without its first token,

an unseen context leaves p(w | h'), and below the empty context lies the uniform law 1/V (Witten and Bell, IEEE Trans.
Inf. Theory 37(4), 1991; interpolated as in Chen and Goodman, TR-10-98, 1998). Probabilities sum to one. The first
tokens of a row are judged from the shorter contexts there are. Text that copies n-grams of the data can game it: it is
the judge of CI, and the second one elsewhere.

    >>> import torch
    >>> from harness.data.wikipedia_leads import WikipediaLeads
    >>> data = WikipediaLeads(length=16)
    >>> rows = torch.stack([data.encode("the city is the "), data.encode(" chit seteth yi ")])
    >>> (NgramJudge().log_prob(rows, data).mean(1) * -1).round(1).tolist()
    [0.8, 4.2]
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, tokens
from harness.metrics.grams import numbers
from harness.param import Range, check, param


@dataclass(frozen=True)
class NgramJudge:
    """Nats per token under an interpolated Witten-Bell n-gram model of a split: a judge without a network. Lower is
    better; text that copies n-grams of the data can game it. Raises ValueError for data without text.
    """

    name: ClassVar[str] = "ngram"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "nats per token"

    order: int = param(6, Range(1, 12), "tokens of an n-gram: the context has one less")
    split: str = param("judge", note="the split it is fitted on")

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        nats = -self.log_prob(samples, data)                                       # (n, L)
        return ratio(nats.sum(1), np.full(len(nats), nats.shape[1]), self.name)

    def log_prob(self, samples: Tensor, data: Dataset) -> np.ndarray:
        """ln p of every token given those before it in its row, (n, L) float64."""
        rows = tokens(samples, data).numpy()                                       # (n, L)
        p = np.full(rows.shape, 1 / data.vocab)                                    # (n, L)
        for k, level in enumerate(_fit(data, self.split, self.order)[: rows.shape[1]]):
            grams = numbers(rows, data.vocab, k + 1)                               # (n, L - k)
            context = _place(level.contexts, grams // data.vocab)
            c, T = _at(level.totals, context), _at(level.kinds, context)
            hits = _at(level.counts, _place(level.grams, grams))
            p[:, k:] = np.where(c > 0, (hits + T * p[:, k:]) / np.maximum(c + T, 1), p[:, k:])
        return np.log(p)


class Level(NamedTuple):
    """The counts of one order."""

    grams: np.ndarray       # (G,) n-grams hw, ascending
    counts: np.ndarray      # (G,) c(hw)
    contexts: np.ndarray    # (H,) contexts h, ascending
    totals: np.ndarray      # (H,) c(h)
    kinds: np.ndarray       # (H,) T(h)


@lru_cache(maxsize=4)
def _fit(data: Dataset, split: str, order: int) -> list[Level]:
    if not hasattr(data, "tokens"):
        raise ValueError(f"{data.name} has no text to fit an n-gram model on: choose exact_nll, or a corpus")
    text, levels = data.tokens(split)[None].numpy(), []                            # (1, characters)
    for k in range(1, order + 1):
        grams, counts = np.unique(numbers(text, data.vocab, k), return_counts=True)
        contexts, first, kinds = np.unique(grams // data.vocab, return_index=True, return_counts=True)
        totals = np.add.reduceat(counts, first) if len(first) else counts
        levels.append(Level(grams, counts, contexts, totals, kinds))
    return levels


def _place(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where `wanted` stands in the ascending `known`, or -1."""
    if not len(known):
        return np.full(wanted.shape, -1)
    place = np.searchsorted(known, wanted).clip(max=len(known) - 1)
    return np.where(known[place] == wanted, place, -1)


def _at(table: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.where(place < 0, 0, table[place]) if len(table) else np.zeros(place.shape)
