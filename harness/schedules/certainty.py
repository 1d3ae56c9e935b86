"""How sure a network is of a masked position: what samplers that choose their own order sort by.

    confidence          max_v p_l(v)
    margin              p_(1) - p_(2), the two largest
    entropy             -H(p_l)
    random              0: the order that breaks ties decides alone
    token_confidence    p_l(x0_l) of the token drawn, LLaDA's low-confidence remasking (arXiv 2502.09992)

The first four look at the distribution alone, so an order made of them says nothing about tokens that were not drawn
yet. The last has looked at the token (`of_token`), and reveals likely ones too often. A class of another package joins
by this verb; a subclass of the sampler widens its field.

    >>> p = torch.tensor([[[0.5, 0.25, 0.25], [0.5, 0.5, 0.0]]], dtype=torch.float64)
    >>> Margin().certainty(p, torch.tensor([[0, 1]]))
    tensor([[0.2500, 0.0000]], dtype=torch.float64)
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

GRID = 2.0**-16


@dataclass(frozen=True)
class Confidence:
    """The probability of the likeliest token, max_v p(v)."""

    name: ClassVar[str] = "confidence"
    of_token: ClassVar[bool] = False

    def certainty(self, p: Tensor, x0: Tensor) -> Tensor:
        """p (B, W, V) float64 and a token x0 (B, W) at each position -> (B, W), larger where the network is surer."""
        return p.amax(-1)


@dataclass(frozen=True)
class Margin:
    """The probability of the likeliest token minus that of the second."""

    name: ClassVar[str] = "margin"
    of_token: ClassVar[bool] = False

    def certainty(self, p: Tensor, x0: Tensor) -> Tensor:
        """p (B, W, V) float64 -> (B, W) in [0, 1]; the token x0 does not count."""
        first, second = p.topk(2, dim=-1).values.unbind(-1)                        # (B, W) each
        return first - second


@dataclass(frozen=True)
class Entropy:
    """The entropy of the law at a position with its sign turned, in nats: 0 where the network is sure."""

    name: ClassVar[str] = "entropy"
    of_token: ClassVar[bool] = False

    def certainty(self, p: Tensor, x0: Tensor) -> Tensor:
        """p (B, W, V) float64 -> (B, W), minus the entropy in nats; the token x0 does not count."""
        return -entropy(p)


@dataclass(frozen=True)
class Random:
    """No preference: all positions are equal, and the order that breaks ties decides."""

    name: ClassVar[str] = "random"
    of_token: ClassVar[bool] = False

    def certainty(self, p: Tensor, x0: Tensor) -> Tensor:
        """p (B, W, V) -> zeros (B, W)."""
        return torch.zeros_like(p[..., 0])


@dataclass(frozen=True)
class TokenConfidence:
    """The probability of the token that was drawn, LLaDA's low-confidence remasking (arXiv 2502.09992). It looks at the
    token, so a sampler that sorts by it has no exact limit.
    """

    name: ClassVar[str] = "token_confidence"
    of_token: ClassVar[bool] = True

    def certainty(self, p: Tensor, x0: Tensor) -> Tensor:
        """p (B, W, V) float64 and tokens x0 (B, W) -> p(x0) (B, W)."""
        return p.gather(-1, x0[..., None])[..., 0]


def entropy(p: Tensor) -> Tensor:
    """In nats, (..., V) -> (...); exactly 0 where one token has all the mass."""
    return torch.special.entr(p).sum(-1)


def coarse(certainty: Tensor) -> Tensor:
    """Differences below GRID are rounding: under masks alone every position says the same, but for the last bits."""
    return (certainty / GRID).round()
