"""Which rows of a cell are looked at again, and whether the scores of some rows are what they were."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from harness.random import Stream, permutation

ROWS = 16


def drawn(key: str, tree: str, n: int, rows: int = ROWS, known: np.ndarray | None = None) -> np.ndarray:
    """Numbers of the rows that are looked at, in order: (min(rows, n),). Another key or another tree looks at others.

    known (k,): the rows whose tokens are kept, where those of the others are not. Half of what is looked at is of
    them, so that tokens are compared, and half of the others, so that no change escapes in rows that are never looked
    at.
    """
    seed = int(hashlib.sha256(f"{key} {tree}".encode()).hexdigest()[:15], 16)
    order = permutation(seed, torch.tensor([0]), Stream.RESAMPLE, n)[0].numpy()    # (n,)
    of_known = order[np.isin(order, [] if known is None else known)][: rows // 2]
    others = order[~np.isin(order, of_known)][: rows - len(of_known)]
    return np.sort(np.concatenate((of_known, others)))


def differing(score: Callable[[np.ndarray], np.ndarray], tokens: np.ndarray, table: np.ndarray) -> np.ndarray | None:
    """tokens (m, L), their scores as they were (2, m) -> (m,) bool: the rows whose numerator or denominator is another
    by more than a rounding.

    score: tokens -> (2, m), or (2, 0) if it refuses them. None of a metric that refuses so few rows, and of one whose
    rows depend on the rows beside them, such as a count of distinct rows: those of a part say nothing.
    """
    m, twice, part = len(tokens), score(np.concatenate((tokens, tokens))), score(tokens[::2])
    if not twice.size or not part.size:
        return None
    if not (near(twice[:, :m], twice[:, m:]).all() and near(twice[:, :m:2], part).all()):
        return None
    return ~near(twice[:, :m], table).all(0)


def near(a: Any, b: Any) -> Any:
    """Equal to 1 part in 1e5: more than processors differ by, and far less than one token changes."""
    return np.isclose(a, b, rtol=1e-5, atol=1e-6)
