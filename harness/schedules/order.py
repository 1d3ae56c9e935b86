"""Laws of the order sigma in which positions are revealed: by their times, the earliest first.

    uniform            u                          every order alike, as in training
    blocks(tokens)     floor(l / tokens) + u      blocks from left to right, every order alike inside one
                       (semi-autoregressive)
    left_to_right      l

u is the uniform of position l that all samplers share. An exact sampler is exact under each of these if the network's
conditionals come from one joint; a trained network is worse at orders that were rare in its training.

    >>> Blocks(2).times(torch.tensor([[0.5, 0.25, 0.75]], dtype=torch.float64))
    tensor([[0.5000, 0.2500, 1.7500]], dtype=torch.float64)
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harness.param import Choice, Range, check, param


@dataclass(frozen=True)
class Uniform:
    name: ClassVar[str] = "uniform"

    def times(self, u: Tensor) -> Tensor:
        return u


@dataclass(frozen=True)
class Blocks:
    tokens: int = param(32, Range(1, 4096, log=True), "length of a block")
    name: ClassVar[str] = "blocks"

    def __post_init__(self):
        check(self)

    def times(self, u: Tensor) -> Tensor:
        return torch.arange(u.shape[1], device=u.device) // self.tokens + u


@dataclass(frozen=True)
class LeftToRight:
    name: ClassVar[str] = "left_to_right"

    def times(self, u: Tensor) -> Tensor:
        return torch.arange(u.shape[1], device=u.device).expand_as(u).to(u)


UNIFORM = Uniform()
ORDERS = Choice(UNIFORM, Blocks(), LeftToRight())
