"""What a row has written, and in which order: counts of tokens and of places.

    text        places up to and with the first end symbol. T, what a row generated, is what it wrote there: no prompt,
                nothing behind an end
    order       Kendall's S of the step in which a place was last written against its position, over written places
    untied      pairs of places that were written in different steps

Kendall's tau-b of a row is S / sqrt(untied * pairs), pairs all of them, since no two places share a position; where all
was written in one step there is nothing to divide by and no order (harness/stats/forwards.py).
"""

import torch
from torch import Tensor

NEVER = -1
CELLS = 1 << 24    # pairs that are looked at at once


def text(x: Tensor, end: int | None) -> Tensor:
    """x (n, L) tokens -> (n, L) bool: up to and with the first end symbol; without one, everywhere."""
    if end is None:
        return torch.ones_like(x, dtype=torch.bool)
    ends = (x == end).int()
    return ends.cumsum(1) == ends


def order(when: Tensor) -> tuple[Tensor, Tensor]:
    """when (n, L), the step of each place or NEVER -> S (n,) and untied (n,), int64."""
    length = when.shape[1]
    later = torch.ones(length, length, dtype=torch.bool, device=when.device).triu(1)
    signs, untied = [], []
    for part in when.split(max(1, CELLS // length**2)):
        there = part != NEVER                                                      # (b, L)
        both = there[:, :, None] & there[:, None, :] & later                       # (b, L, L) of pairs i < j
        sign = (part[:, None, :] - part[:, :, None]).sign() * both                 # (b, L, L) +1 where j came later
        signs.append(sign.sum((1, 2)))
        untied.append((sign != 0).sum((1, 2)))
    return torch.cat(signs).long(), torch.cat(untied).long()
