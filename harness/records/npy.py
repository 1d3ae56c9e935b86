"""The bytes of a .npy file, as np.save writes it: its head, and the array that it holds.

Thousands of small arrays have few heads between them, so that a head is parsed once. Nothing is unpickled.
"""

import io
import math
from functools import lru_cache
from tokenize import TokenError
from typing import Literal

import numpy as np

HEADER = 128    # bytes that np.save gives to the head of an array with as few axes as ours


def head(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """What stands before the numbers of an array in C order."""
    file, descr = io.BytesIO(), np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


def array_of(content: bytes | bytearray) -> np.ndarray:
    """The array, which shares the memory of `content`. Raises ValueError if this is no whole .npy file."""
    offset, dtype, shape, order = _layout(bytes(content[:HEADER]))
    if len(content) != offset + math.prod(shape) * dtype.itemsize:
        raise ValueError("not as long as its head says")
    flat = np.frombuffer(content, dtype, math.prod(shape), offset)
    return flat.reshape(shape, order=order)


@lru_cache
def _layout(begin: bytes) -> tuple[int, np.dtype, tuple[int, ...], Literal["C", "F"]]:
    """Where the numbers begin, what they are, how many and in which order. Raises ValueError if this is no head."""
    file = io.BytesIO(begin)
    old = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, dtype = read(file)
    except (SyntaxError, TokenError, TypeError):    # of numpy's own readers, for a head of nonsense
        raise ValueError("no head") from None
    if dtype.hasobject:
        raise ValueError("pickled")
    return file.tell(), dtype, shape, "F" if fortran else "C"
