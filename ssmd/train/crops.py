"""Batches of a training that has one text: random crops of it, each drawn by the number of its row."""

import torch
from torch import Tensor

from harness.random import Stream, integers


def batch_of(text: Tensor, rows: Tensor, length: int, seed: int) -> Tensor:
    """Random crops of the training text, (B, L) int64."""
    # (B, 1)
    start = integers(seed, rows, Stream.TRAIN, torch.tensor([1 << 41], device=rows.device), len(text) - length)
    return text[start + torch.arange(length, device=rows.device)].long()
