"""How far the n-grams of samples are from those of data, one way and the other: a loss of diversity shows in the first.

    forward   KL(data || samples): what data holds and samples lack. A sampler that repeats itself is far off.
    reverse   KL(samples || data): what samples hold and data lacks. A sampler that misspells is far off.

Both are in nats, over the n-grams that either holds, each counted once more by SMOOTHING. Unlike the entropy of a
histogram of letters they see the order of tokens: shuffled letters are far from text.

The value is the mean of the pseudo-values of rows, n KL - (n - 1) KL without row i (the jackknife, Quenouille 1956).
That takes off the bias that falls as 1/n, and gives every row a number, so that arms can be compared by paired
intervals. It depends on n all the same: compare arms of equal n and L.

    >>> import torch
    >>> from harness.data.wikipedia_leads import WikipediaLeads
    >>> data = WikipediaLeads(length=64)
    >>> text = data.rows("test", 256, 0)
    >>> one = text[:1].expand(256, -1)
    >>> NgramKL(order=2).score(text, data).value < 0.1 < 1 < NgramKL(order=2).score(one, data).value
    True
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, tokens
from harness.metrics.grams import numbers
from harness.param import Choice, Range, check, param

SMOOTHING = 0.5


@dataclass(frozen=True)
class NgramKL:
    """KL between the n-grams of the samples and those of a split, in nats, as a mean of pseudo-values of rows (the
    jackknife). Lower is better, at equal n and L. Raises ValueError for data without text, fewer than two rows, or rows
    shorter than `order`.
    """

    name: ClassVar[str] = "ngram_kl"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "nats"

    direction: str = param("forward", Choice("forward", "reverse"), "KL(data || samples) or KL(samples || data)")
    order: int = param(3, Range(1, 12), "tokens of an n-gram")
    split: str = param("judge", note="of the data that samples are held against")

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        """samples (n, L), n at least 2 -> one pseudo-value a row. Raises ValueError for data that is no text, or rows
        too short.
        """
        rows = tokens(samples, data).numpy()                                       # (n, L)
        if not hasattr(data, "tokens"):
            raise ValueError(f"{data.name} has no text to hold n-grams against: choose exact_nll, law_tv or a "
                             "corpus")
        if rows.shape[1] < self.order or len(rows) < 2:
            raise ValueError(f"{self.name} needs at least 2 rows of {self.order} tokens, not {len(rows)} of "
                             f"{rows.shape[1]}")
        written = numbers(rows, data.vocab, self.order)                            # (n, G)
        text = numbers(data.tokens(self.split)[None].numpy(), data.vocab, self.order)[0]
        values = pseudo_values(written, text, self.direction)
        return ratio(values, np.ones(len(values)), self.name)


def pseudo_values(written: np.ndarray, text: np.ndarray, direction: str) -> np.ndarray:
    """n-grams of samples, (n, G), and of a text, (T,), as numbers -> pseudo-values of the divergence, (n,)."""
    n, width = written.shape
    known, place = np.unique(np.concatenate((written.ravel(), text)), return_inverse=True)
    ours, theirs = place[: n * width], place[n * width :]
    count = np.bincount(ours, minlength=len(known)) + SMOOTHING                    # (K,)
    data = np.bincount(theirs, minlength=len(known)) + SMOOTHING                   # (K,)
    data = data / data.sum()
    cells, times = np.unique(np.repeat(np.arange(n), width) * len(known) + ours, return_counts=True)
    row, gram = np.divmod(cells, len(known))  # n-gram `gram` stands `times` times in `row`

    def term(c: np.ndarray, d: np.ndarray) -> np.ndarray:
        return -d * np.log(c) if direction == "forward" else c * (np.log(c) - np.log(d))

    change = term(count[gram] - times, data[gram]) - term(count[gram], data[gram])
    # (1 + n,): whole, then without row i
    every = term(count, data).sum() + np.concatenate(([0.0], np.bincount(row, change, minlength=n)))
    total = count.sum() - width * np.concatenate(([0.0], np.ones(n)))
    entropy = (data * np.log(data)).sum()
    divergence = entropy + every + np.log(total) if direction == "forward" else every / total - np.log(total)
    return n * divergence[0] - (n - 1) * divergence[1:]
