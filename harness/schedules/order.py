"""Laws of the order sigma in which positions are revealed: by their times, the earliest first.

    uniform            u                          every order alike, as in training
    blocks(tokens)     floor(l / tokens) + u      blocks from left to right, every order alike inside one
                       (semi-autoregressive)
    left_to_right      l
    dilated            the bits of (l + s) mod L, read from the last to the first; s = floor(L u_0), one a row

u is the uniform of position l that all samplers share. An exact sampler is exact under each of these if the network's
conditionals come from one joint; a trained network is worse at orders that were rare in its training.

In a dilated order each place is halfway between places that are written already, so that tokens of one pass stand far
apart: with L = 8 and s = 0, 0 4 2 6 1 5 3 7. It is the sequence of van der Corput, that of Halton in one dimension and
base 2. Dilated orders of text are of arXiv 2506.19037, Halton's for images of arXiv 2503.17076; the random start is
ours. Tokens drawn side by side are nearly independent for as long as what binds them decays with their distance.

    >>> Blocks(2).times(torch.tensor([[0.5, 0.25, 0.75]], dtype=torch.float64))
    tensor([[0.5000, 0.2500, 1.7500]], dtype=torch.float64)
    >>> Dilated().times(torch.zeros(1, 8, dtype=torch.float64)).argsort(1).tolist()
    [[0, 4, 2, 6, 1, 5, 3, 7]]
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harness.param import Choice, Range, check, param


@dataclass(frozen=True)
class Uniform:
    """Every order alike, as in the training of masked diffusion models."""

    name: ClassVar[str] = "uniform"

    def times(self, u: Tensor) -> Tensor:
        """u (B, L) -> u."""
        return u


@dataclass(frozen=True)
class Blocks:
    """Blocks of `tokens` places from left to right, every order alike inside a block (semi-autoregressive)."""

    tokens: int = param(32, Range(1, 4096, log=True), "length of a block")
    name: ClassVar[str] = "blocks"

    def __post_init__(self):
        check(self)

    def times(self, u: Tensor) -> Tensor:
        """u (B, L) -> (B, L): the number of the block plus the uniform."""
        return torch.arange(u.shape[1], device=u.device) // self.tokens + u


@dataclass(frozen=True)
class LeftToRight:
    """The order of reading, as an autoregressive network writes. No uniform counts."""

    name: ClassVar[str] = "left_to_right"

    def times(self, u: Tensor) -> Tensor:
        """u (B, L) -> (B, L): the number of the position."""
        return torch.arange(u.shape[1], device=u.device).expand_as(u).to(u)


@dataclass(frozen=True)
class Dilated:
    """The order of the bits of a position, read from the last to the first, so that tokens of one pass stand far apart
    (arXiv 2506.19037; the random start is ours). With L = 8 and start 0: 0 4 2 6 1 5 3 7.
    """

    name: ClassVar[str] = "dilated"

    def times(self, u: Tensor) -> Tensor:
        """u (B, L) -> (B, L); the first uniform of a row gives its start."""
        length = u.shape[1]
        place = (torch.arange(length, device=u.device) + (u[:, :1] * length).long()) % length                  # (B, L)
        bits = (length - 1).bit_length()
        return sum(((place >> (bits - 1 - k) & 1) << k for k in range(bits)), torch.zeros_like(place)).to(u)   # (B, L)


OrderLaw = Uniform | Blocks | LeftToRight | Dilated
UNIFORM = Uniform()
ORDERS = Choice(UNIFORM, Blocks(), LeftToRight(), Dilated())
