"""What the sources with a known law share: their splits and where their uniforms lie.

Rows take Stream.DATA at (row, split * 2**40 + place). The law itself takes the indices from 2**60 on, where no row draws, so
that a law and rows of equal seed stay independent.

    >>> row_uniforms(7, split=0, n=2, places=3).shape
    torch.Size([2, 3])
"""

import torch
from torch import Tensor

from harness.random import Stream, uniform

SPLITS = ("train", "judge", "validation", "test")
_LAW = 2**60
_SPLIT = 2**40


def check_split(name: str, split: str) -> int:
    """The number of the split."""
    if split not in SPLITS:
        raise ValueError(f"{name} has no split {split!r}; choose {' | '.join(SPLITS)}")
    return SPLITS.index(split)


def row_uniforms(seed: int, split: int, n: int, places: int) -> Tensor:
    return uniform(seed, torch.arange(n), Stream.DATA, split * _SPLIT + torch.arange(places))   # (n, places) float64


def law_uniforms(law_seed: int, n: int) -> Tensor:
    return uniform(law_seed, torch.tensor([0]), Stream.DATA, _LAW + torch.arange(n))[0]         # (n,) float64
