"""What the sources with a known law share: their alphabet, their identity, their splits, and where their uniforms lie.

Rows take Stream.DATA at (row, split * 2**40 + place). The law itself takes the indices from 2**60 on, where no row
draws, so that a law and rows of equal seed stay independent.

    >>> row_uniforms(7, split=0, n=2, places=3).shape
    torch.Size([2, 3])
"""

from dataclasses import Field, asdict
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.param import check
from harness.random import Stream, uniform

SPLITS = ("train", "judge", "validation", "test")
_LAW = 2**60
_SPLIT = 2**40


class Source:
    """A frozen dataclass with a field `symbols`: ids 0..symbols-1, and MASK behind them. Its fields are its
    identity.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    symbols: int

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]    # of the subclass

    def __post_init__(self) -> None:
        check(self)

    @property
    def vocab(self) -> int:
        return self.symbols

    @property
    def mask(self) -> int:
        return self.symbols

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version} | asdict(self)


def check_split(name: str, split: str) -> int:
    """The number of the split. Raises ValueError for another name."""
    if split not in SPLITS:
        raise ValueError(f"{name} has no split {split!r}; choose {' | '.join(SPLITS)}")
    return SPLITS.index(split)


def row_uniforms(seed: int, split: int, n: int, places: int) -> Tensor:
    """Uniforms of rows 0..n-1 of a split, (n, places) float64; those of a row do not depend on n."""
    return uniform(seed, torch.arange(n), Stream.DATA, split * _SPLIT + torch.arange(places))   # (n, places) float64


def law_uniforms(law_seed: int, n: int) -> Tensor:
    """Uniforms that a law is made of, (n,) float64, independent of those of any row."""
    return uniform(law_seed, torch.tensor([0]), Stream.DATA, _LAW + torch.arange(n))[0]         # (n,) float64
