"""Placements of a model schedule: which parts of a text a light network writes, as a function of the share already
written.

Under alpha = 1 - t each of N equal steps writes about L/N tokens, so a schedule in steps is one in fractions of tokens,
and in that form it carries over to any sampler (arXiv 2604.02340; fractions ours). `share` is the light part in all.

    sandwich       [0, share/2) and [1 - share/2, 1)        the published form
    middle         the share around 1/2
    prefix         [0, share)
    suffix         [1 - share, 1)
    interleaved    the first part of each of `teeth` equal pieces
    random         `pieces` equal pieces, of which the share with the smallest uniforms
    segments       the pieces named, of `pieces` equal ones

    >>> Sandwich(0.25).light(torch.tensor([0.0, 0.2, 0.9])).tolist()
    [True, False, True]
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from harness.param import Range, check, param
from harness.random import Stream, permutation

SHARE = Range(0.0, 1.0)


@dataclass(frozen=True)
class Sandwich:
    """The light network writes the first and the last tokens in the order of writing, half of `share` each (arXiv
    2604.02340).
    """

    share: float = param(0.25, SHARE)
    name: ClassVar[str] = "sandwich"

    def __post_init__(self):
        check(self)

    def light(self, fraction: Tensor) -> Tensor:
        """fraction (B,) written -> (B,) bool: below share/2, or from 1 - share/2 on."""
        return (fraction < self.share / 2) | (fraction >= 1 - self.share / 2)


@dataclass(frozen=True)
class Middle:
    """The light network writes the tokens in the middle of the order of writing."""

    share: float = param(0.25, SHARE)
    name: ClassVar[str] = "middle"

    def __post_init__(self):
        check(self)

    def light(self, fraction: Tensor) -> Tensor:
        """fraction (B,) written -> (B,) bool: within share/2 of one half."""
        return (fraction >= 0.5 - self.share / 2) & (fraction < 0.5 + self.share / 2)


@dataclass(frozen=True)
class Prefix:
    """The light network writes the first tokens, until `share` is written."""

    share: float = param(0.25, SHARE)
    name: ClassVar[str] = "prefix"

    def __post_init__(self):
        check(self)

    def light(self, fraction: Tensor) -> Tensor:
        """fraction (B,) written -> (B,) bool: below the share."""
        return fraction < self.share


@dataclass(frozen=True)
class Suffix:
    """The light network writes the last tokens, once 1 - `share` is written."""

    share: float = param(0.25, SHARE)
    name: ClassVar[str] = "suffix"

    def __post_init__(self):
        check(self)

    def light(self, fraction: Tensor) -> Tensor:
        """fraction (B,) written -> (B,) bool: from 1 - share on."""
        return fraction >= 1 - self.share


@dataclass(frozen=True)
class Interleaved:
    """The order of writing in `teeth` equal pieces, of each of which the light network writes the first `share`."""

    share: float = param(0.25, SHARE)
    teeth: int = param(16, Range(1, 4096, log=True))
    name: ClassVar[str] = "interleaved"

    def __post_init__(self):
        check(self)

    def light(self, fraction: Tensor) -> Tensor:
        """fraction (B,) written -> (B,) bool: whether it lies in the first `share` of its piece."""
        # a step that starts on a tooth belongs to it, rounding or not
        return (fraction * self.teeth + 1e-9) % 1 < self.share


def _piece(fraction: Tensor, pieces: int) -> Tensor:
    return (fraction * pieces + 1e-9).long().clamp(0, pieces - 1)


@dataclass(frozen=True)
class Random:
    """The order of writing in `pieces` equal pieces, of which the light network writes round(share pieces), chosen at
    random. `draw` is the seed of the choice, which is the same for all rows.
    """

    share: float = param(0.25, SHARE)
    pieces: int = param(32, Range(1, 4096, log=True))
    draw: int = param(0, Range(0, 2**31))
    name: ClassVar[str] = "random"

    def __post_init__(self):
        check(self)

    def light(self, fraction: Tensor) -> Tensor:
        """fraction (B,) written -> (B,) bool: whether its piece is one of those chosen."""
        row = torch.zeros(1, dtype=torch.int64, device=fraction.device)
        place = permutation(self.draw, row, Stream.SCHEDULE, self.pieces)[0].argsort()
        return (place < round(self.share * self.pieces))[_piece(fraction, self.pieces)]


@dataclass(frozen=True)
class Segments:
    """The order of writing in `pieces` equal pieces, of which the light network writes those named, counted from 0.
    Raises ValueError for a piece that is not there.
    """

    chosen: tuple[int, ...] = (0, 7)
    pieces: int = param(8, Range(1, 4096, log=True))
    name: ClassVar[str] = "segments"

    def __post_init__(self):
        check(self)
        if any(not 0 <= c < self.pieces for c in self.chosen):
            raise ValueError(f"Segments: chosen={self.chosen} must lie in 0..{self.pieces - 1}")

    def light(self, fraction: Tensor) -> Tensor:
        """fraction (B,) written -> (B,) bool: whether its piece is one of those named."""
        return _named(self.chosen, self.pieces, fraction.device)[_piece(fraction, self.pieces)]


@lru_cache(maxsize=64)
def _named(chosen: tuple[int, ...], pieces: int, device: torch.device) -> Tensor:
    """Whether each piece is among those chosen, (pieces,) bool: copied to a device once, not in every round."""
    return torch.tensor([piece in chosen for piece in range(pieces)], device=device)
