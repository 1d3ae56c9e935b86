"""Philox4x32-10 of "Parallel Random Numbers: As Easy as 1, 2, 3" (Salmon et al., SC 2011; Random123): counter and key
in, random words out.

It is written in int64 tensor arithmetic, so that CPU and GPU give the same bits, and for a CPU in numpy's, which gives
them too and takes a third of the time there (speed.draws.*).
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

_M32 = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


def philox4x32(counter: tuple[Tensor, Tensor, Tensor, Tensor],
               key: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Philox4x32-10: four int64 tensors that hold 32-bit counter words, two key words -> four 32-bit output words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0 = c0 * _MULTIPLIERS[0]   # the 64-bit product wraps in int64; its bits are still right
        p1 = c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (p1 >> 32 & _M32) ^ c1 ^ k0, p1 & _M32, (p0 >> 32 & _M32) ^ c3 ^ k1, p0 & _M32
        k0 = (k0 + _WEYL[0]) & _M32
        k1 = (k1 + _WEYL[1]) & _M32
    return c0, c1, c2, c3


def philox_in_place(counter: Sequence[np.ndarray], key: tuple[int, int]) -> None:
    """The same of four uint64 arrays, which become the output words."""
    c0, c1, c2, c3 = counter
    mask, half = np.uint64(_M32), np.uint64(32)
    first, second = map(np.uint64, _MULTIPLIERS)
    p0, p1 = np.empty_like(c0), np.empty_like(c2)
    k0, k1 = key
    for _ in range(_ROUNDS):
        np.multiply(c0, first, out=p0)
        np.multiply(c2, second, out=p1)
        for high, low, product, k in ((c0, c1, p1, k0), (c2, c3, p0, k1)):
            np.right_shift(product, half, out=high)
            np.bitwise_xor(high, low, out=high)
            np.bitwise_xor(high, np.uint64(k), out=high)
            np.bitwise_and(product, mask, out=low)
        k0 = (k0 + _WEYL[0]) & _M32
        k1 = (k1 + _WEYL[1]) & _M32


def to_unit(first: Tensor, second: Tensor) -> Tensor:
    """Two words of a block -> float64 in (0, 1) of their upper 26 bits each: adding one half to 52 bits is exact."""
    return (((first >> 6) * 2**26 + (second >> 6)).double() + 0.5) * 2.0**-52
