"""Exact likelihood: -ln p(sample) / L in nats per token, where the data set knows its own law (Markov, Exact, Potts,
Zipf).

The data's own rows score their entropy per token. Below that the samples are too typical, above it they are wrong.

    >>> from harness.data.markov import Markov
    >>> data = Markov(symbols=4, length=64)
    >>> score = ExactNll().score(data.rows("test", 256, seed=0), data)
    >>> abs(score.value - data.entropy_nats() / 64) < 0.03
    True
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, tokens


@dataclass(frozen=True)
class ExactNll:
    """-ln p(sample) / L under the data's own law, in nats per token. Lower is likelier; below the data's entropy it is
    too typical. Raises ValueError for data whose law is not known.
    """

    name: ClassVar[str] = "exact_nll"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "nats per token"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        if not hasattr(data, "log_prob"):
            raise ValueError(f"the law of {data.name} is not known: score it with a judge (judge, ngram)")
        rows = tokens(samples, data)
        return ratio(-data.log_prob(rows).numpy(), np.full(len(rows), rows.shape[1]), self.name)
