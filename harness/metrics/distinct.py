"""distinct-n: distinct n-grams over all n-grams of the samples together. Repetition lowers it; so do more samples.
Nonsense raises it, so it says something only beside a measure of quality.

A metric of the whole set that compares arms of equal n and L only. Samples without a single n-gram of words score 0.

    >>> import torch
    >>> from harness.data.exact import Exact
    >>> rows = torch.tensor([[0, 1, 0, 1], [0, 1, 2, 2]])
    >>> Distinct(kind="chars", order=2).score(rows, Exact()).value    # 01 10 12 22 of 6
    0.6666666666666666
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import whole
from harness.metrics.grams import KINDS, of_rows
from harness.param import Choice, Range, check, param


@dataclass(frozen=True)
class Distinct:
    """Distinct n-grams over all n-grams of the samples together, a value of the whole set. Higher is better, at equal n
    and L, beside a measure of quality. Raises ValueError for rows shorter than `order` tokens, and for words of data
    without text.
    """

    name: ClassVar[str] = "distinct"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of n-grams"

    kind: str = param("words", Choice(*KINDS), "n-grams of tokens or of whole words")
    order: int = param(2, Range(1, 12))

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        grams = [gram for row in of_rows(samples, data, self.kind, self.order) for gram in row]
        return whole(len(set(grams)) / max(len(grams), 1), self.name)
