"""Two entropies of tokens, which must never be compared with one another; both in nats, and both are to match the
data's.

sample_entropy   mean over samples of the entropy of the sample's own token histogram; at most ln L, and it grows with
                 L.
corpus_entropy   entropy of the pooled histogram; it grows with the number of samples.

    >>> from harness.data.exact import Exact
    >>> rows = torch.tensor([[0, 0, 1, 1], [2, 2, 2, 2]])
    >>> round(SampleEntropy().score(rows, Exact()).value, 4), round(CorpusEntropy().score(rows, Exact()).value, 4)
    (0.3466, 1.0397)
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, tokens, whole


def histogram_entropy(ids: Tensor) -> float:
    """Entropy of the histogram of `ids`, in nats."""
    p = torch.unique(ids, return_counts=True)[1].double() / ids.numel()            # (distinct,)
    return -(p * p.log()).sum().item()


@dataclass(frozen=True)
class SampleEntropy:
    """Mean over samples of the entropy of a sample's own token histogram, in nats: at most ln L. To match that of the
    data.
    """

    name: ClassVar[str] = "sample_entropy"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "nats"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = [histogram_entropy(row) for row in tokens(samples, data)]
        return ratio(found, np.ones(len(found)), self.name)


@dataclass(frozen=True)
class CorpusEntropy:
    """Entropy of the token histogram of all samples together, in nats, a value of the whole set. To match that of the
    data, at equal n.
    """

    name: ClassVar[str] = "corpus_entropy"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "nats"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        return whole(histogram_entropy(tokens(samples, data)), self.name)
