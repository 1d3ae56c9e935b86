"""Control arms: rows that no sampler wrote, scored like any other. Verb `control`.

    held_out    real rows: the level a perfect sampler would reach
    shuffled    the same characters in random places: right symbol frequencies, no sense
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeGuard

import torch
from torch import Tensor

from harness.kinds import Dataset
from harness.random import Stream, permutation


class Control(Protocol):
    """What stands in an arm in place of a sampler: `control` gives n rows (n, L) of token ids, by the seed alone. No
    network runs, so they have no cost.
    """

    def control(self, data: Dataset, n: int, seed: int) -> Tensor: ...    # (n, L)


def is_control(point: object) -> TypeGuard[Control]:
    """Whether a point of an arm is a control and no sampler."""
    return hasattr(point, "control")


@dataclass(frozen=True)
class HeldOut:
    """Real rows of a split: the level that a perfect sampler would reach."""

    split: str = "test"
    name: ClassVar[str] = "held_out"
    version: ClassVar[int] = 1

    def control(self, data: Dataset, n: int, seed: int) -> Tensor:
        """n rows (n, L) of the split. Raises ValueError if it has fewer."""
        return data.rows(self.split, n, seed)


@dataclass(frozen=True)
class Shuffled:
    """Real rows with their tokens shuffled over all places of all rows: the right frequencies and no order."""

    split: str = "test"
    name: ClassVar[str] = "shuffled"
    version: ClassVar[int] = 1

    def control(self, data: Dataset, n: int, seed: int) -> Tensor:
        """n rows (n, L): the tokens of n rows of the split in random places. Raises ValueError if it has fewer."""
        rows = data.rows(self.split, n, seed)
        place = permutation(seed, torch.zeros(1, dtype=torch.int64), Stream.DATA, rows.numel())[0]
        return rows.flatten()[place].view_as(rows)
