"""How far samples are from a Markov chain whose law is known (markov, bigram, class_chain), of which its own rows are
the level.

nll_excess      (-ln p(sample) - E[-ln p]) / L, nats a token: signed and without bias. Below 0 the samples are too
                typical, above it they are wrong; a sampler can be both, and be seen as neither.
transition_kl   KL of what follows what in the samples from what should, of `order` 2 or 3 neighbours, nats a token:

                    sum_ab c_ab / C  ln (c_ab / c_a / T_ab)

                Of few samples it is above 0 by chance alone, about distinct pairs / (2 C): the floor is what rows of
                the chain score, an arm of held-out rows of the same number. Linearised over rows.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import linearised, ratio, tokens
from harness.metrics.grams import numbers
from harness.param import Range, check, param


@dataclass(frozen=True)
class NllExcess:
    """How much less likely rows are than the data's own on average, in nats per token: 0 is the level to match. The
    data must know their law. Raises ValueError where they do not, or for rows of another length.
    """

    name: ClassVar[str] = "nll_excess"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "nats per token"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        if not hasattr(data, "log_prob") or not hasattr(data, "entropy_nats"):
            raise ValueError(f"the law of {data.name} is not known: score it with a judge (judge, ngram)")
        rows = tokens(samples, data)
        if rows.shape[1] != data.length:
            raise ValueError(f"{data.name} expects rows of {data.length} tokens, and these have {rows.shape[1]}: give "
                             "it their length")
        excess = -data.log_prob(rows).numpy() - data.entropy_nats()                # (n,)
        return ratio(excess, np.full(len(rows), rows.shape[1]), self.name)


@dataclass(frozen=True)
class TransitionKl:
    """KL of what follows what in the samples from a Markov chain's transitions, in nats per token. Lower is better;
    rows of the chain are the floor. Raises ValueError for data that are no chain, or rows shorter than `order`.
    """

    name: ClassVar[str] = "transition_kl"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "nats per token"

    order: int = param(2, Range(2, 3), "neighbours: pairs or triples")

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        if not hasattr(data, "chance"):
            raise ValueError(f"{data.name} is no Markov chain: choose exact_nll, ngram_kl or a judge")
        rows, v = tokens(samples, data).numpy(), data.vocab
        if rows.shape[1] < self.order:
            raise ValueError(f"{self.name} of {self.order} neighbours needs rows of so many tokens, not "
                             f"{rows.shape[1]}")
        grams = numbers(rows, v, self.order)                                       # (n, G)
        whole, share = np.unique(grams, return_counts=True)                        # (K,), (K,)
        heads, of_head = np.unique(whole // v, return_inverse=True)
        before = np.bincount(of_head, share)[of_head]                              # (K,) how often its beginning came
        last = torch.from_numpy(np.stack([whole // v % v, whole % v]))              # (2, K) its last two
        steps = data.chance(*last).numpy()                                         # (K,)
        gain = np.log(share / before / steps)                                      # (K,)
        value = float((share * gain).sum() / grams.size)
        # the derivatives of c ln c - c_a ln c_a cancel but for this
        each = gain[np.searchsorted(whole, grams)].mean(1)                         # (n,)
        return linearised(value, each, np.ones(len(rows), bool), self.name)
