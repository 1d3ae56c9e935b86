"""Spelling: the share of generated words that the training split knows.

A sample is split at spaces; its first and last fragment may be cut and are dropped; every other fragment that is not
empty is a word. Words are pooled over the samples. A sample without a whole word counts as zero correct out of one, so
that a sampler does not gain by writing none. The data's own rows stay below 1: print their value beside it.

    >>> from harness.data.wikipedia_leads import WikipediaLeads
    >>> data = WikipediaLeads(length=16)
    >>> Spelling().score(data.encode("he is the qxz ma")[None], data).value       # is, the | qxz
    0.6666666666666666
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio
from harness.metrics.grams import row_words, text
from harness.param import Range, check, param


@dataclass(frozen=True)
class Spelling:
    """Share of the words in the samples that the training split holds at least `seen` times. Higher is better; the
    data's own rows stay below 1. Raises ValueError for data that are no text.
    """

    name: ClassVar[str] = "spelling"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of words"

    seen: int = param(1, Range(1, 1000), "times a word must occur in the training split; the second reading is 5")

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        rows = row_words(samples, data)
        known = text(data).words("train", self.seen)
        return ratio([sum(word in known for word in row) for row in rows], [max(len(row), 1) for row in rows],
                     self.name)
