"""Draws of samplers that come back to a position: uniforms keyed by the round a row is in, where
harness/sampling/reveal.py keys them by position alone.
"""

import torch
from torch import Tensor

from harness.kinds import Rows
from harness.random import Stream, uniform


def anew(rows: Rows, stream: Stream, at: Tensor | None = None, part: int = 0, parts: int = 1) -> Tensor:
    """Uniforms of this round at positions `at` (B, W), -1 as padding, or at all (B, L). A round that draws several
    times for one purpose tells the parts apart.
    """
    length = rows.x.shape[1]
    at = torch.arange(length, device=rows.x.device).expand_as(rows.x) if at is None else at.clamp_min(0)
    return uniform(rows.seed, rows.id, stream, (rows.n[:, None] * parts + part) * length + at)
