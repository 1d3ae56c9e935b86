"""n-gram coverage: how much of what is written occurs in the data, and how much of the data is written.

ngram_precision   share of generated n-grams that occur in the training split. As for spelling, a sample without an
                  n-gram of words counts as zero of one.
ngram_recall      share of the test split's n-grams that occur among the samples. Grows with the number of samples, so
                  it compares arms of equal n and L only. A value of the whole set.

Both count occurrences, not distinct n-grams. Usual settings: characters at order 6, words at order 2 to 4.

    >>> from harness.data.wikipedia_leads import WikipediaLeads
    >>> data = WikipediaLeads(length=8)
    >>> NgramPrecision(order=3).score(data.encode("the qxzj")[None], data).value    # "the", "he ", "e q" of six
    0.5
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, whole
from harness.metrics.grams import KINDS, of_rows, of_split
from harness.param import Choice, Range, check, param


@dataclass(frozen=True)
class NgramPrecision:
    """Share of the samples' n-grams that occur in the training split. Higher is better. Raises ValueError for rows
    shorter than `order` tokens, and for data without text.
    """

    name: ClassVar[str] = "ngram_precision"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of n-grams"

    kind: str = param("chars", Choice(*KINDS), "n-grams of tokens or of whole words")
    order: int = param(6, Range(1, 12))

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        rows, known = of_rows(samples, data, self.kind, self.order), of_split(data, "train", self.kind, self.order)
        return ratio([sum(gram in known for gram in row) for row in rows], [max(len(row), 1) for row in rows],
                     self.name)


@dataclass(frozen=True)
class NgramRecall:
    """Share of the test split's n-grams that occur among the samples, a value of the whole set. Higher is better, at
    equal n and L. Raises ValueError for a test split without such n-grams.
    """

    name: ClassVar[str] = "ngram_recall"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of n-grams"

    kind: str = param("chars", Choice(*KINDS), "n-grams of tokens or of whole words")
    order: int = param(6, Range(1, 12))

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        written = {gram for row in of_rows(samples, data, self.kind, self.order) for gram in row}
        held_out = of_split(data, "test", self.kind, self.order)
        if not held_out:
            raise ValueError(f"the test split of {data.name} holds no {self.order}-gram of {self.kind}: choose a "
                             "lower order")
        return whole(sum(count for gram, count in held_out.items() if gram in written) / held_out.total(), self.name)
