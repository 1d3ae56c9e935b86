"""Uniform draws of a CPU beside the path of torch's own operations, which a device takes and which gives the same bits.
Times are of 500 calls.
"""

from collections.abc import Callable
from functools import partial

import torch

from harness.fused.philox import philox4x32, to_unit
from harness.random import Stream, uniform
from harness.run.clock import busy, timed

COLUMNS = ("draws", "process", "repeat", "first", "second", "busy")
SIZES = {1: (1, 1), 512: (8, 64), 8192: (64, 128)}    # draws: rows, places
REPEATS, CALLS = 3, 500                               # calls that are timed at once


def plain(seed: int, row: torch.Tensor, stream: int, index: torch.Tensor) -> torch.Tensor:
    """What `uniform` computes, in int64 tensors: row (B,), index (K,) -> (B, K)."""
    low = 2**32 - 1
    index = index.expand(len(row), -1)
    counter = (index & low, index >> 32 & low, (row & low)[:, None].expand_as(index), torch.full_like(index, stream))
    return to_unit(*philox4x32(counter, (seed & low, seed >> 32 & low))[:2])


def in_process(process: int) -> list[list]:
    """Each size once untimed, then both paths in turns."""
    torch.set_num_threads(1)
    found = []
    for draws, (rows, places) in SIZES.items():
        row, index, others = torch.arange(rows), torch.arange(places), busy(seconds=0.2)
        first, second = (partial(many, draw, row, index) for draw in (plain, uniform))
        plain(0, row, Stream.TOKEN, index), uniform(0, row, Stream.TOKEN, index)
        found += [[draws, process, k, timed(first)[0], timed(second)[0], others] for k in range(REPEATS)]
    return found


def many(draw: Callable, row: torch.Tensor, index: torch.Tensor) -> None:
    for seed in range(CALLS):
        draw(seed, row, Stream.TOKEN, index)
