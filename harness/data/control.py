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
    def control(self, data: Dataset, n: int, seed: int) -> Tensor: ...    # (n, L)


def is_control(point: object) -> TypeGuard[Control]:
    return hasattr(point, "control")


@dataclass(frozen=True)
class HeldOut:
    split: str = "test"
    name: ClassVar[str] = "held_out"
    version: ClassVar[int] = 1

    def control(self, data: Dataset, n: int, seed: int) -> Tensor:
        return data.rows(self.split, n, seed)


@dataclass(frozen=True)
class Shuffled:
    split: str = "test"
    name: ClassVar[str] = "shuffled"
    version: ClassVar[int] = 1

    def control(self, data: Dataset, n: int, seed: int) -> Tensor:
        rows = data.rows(self.split, n, seed)
        place = permutation(seed, torch.zeros(1, dtype=torch.int64), Stream.DATA, rows.numel())[0]
        return rows.flatten()[place].view_as(rows)
