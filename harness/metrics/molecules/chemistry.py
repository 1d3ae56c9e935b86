"""Rows as molecules (harness/data/smiles.py)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, TypeGuard

import numpy as np
from torch import Tensor

from harness.data.smiles import canonical
from harness.kinds import Dataset
from harness.metrics.form import tokens


class Molecules(Dataset, Protocol):
    """A data set of molecules: those of a split, and rows as SMILES."""

    def smiles(self, split: str) -> list[str]: ...
    def decode(self, rows: Tensor) -> list[str]: ...


def _of_molecules(data: Dataset) -> TypeGuard[Molecules]:
    return hasattr(data, "smiles")


def molecules(data: Dataset) -> Molecules:
    """The data set. Raises ValueError if it is not of molecules."""
    if not _of_molecules(data):
        raise ValueError(f"{data.name} holds no molecules: choose a metric of tokens or of text, or the data set moses")
    return data


def canonical_rows(samples: Tensor, data: Dataset) -> list[str | None]:
    """samples (n, L) -> n canonical SMILES, None where a row is no molecule. Raises ValueError for other data."""
    return [*_canonical(tuple(molecules(data).decode(tokens(samples, data))))]


@lru_cache(maxsize=4)
def _canonical(texts: tuple[str, ...]) -> tuple[str | None, ...]:
    """Of one set of rows, which several metrics ask for."""
    return tuple(canonical(text) for text in texts)


def counted(found: Sequence[str | None], metric: str, least: int = 2) -> np.ndarray:
    """Which rows are molecules, (n,) bool. Raises ValueError if fewer than `least` are."""
    which = np.array([one is not None for one in found])
    if which.sum() < least:
        raise ValueError(f"{metric} needs at least {least} valid molecules, and {which.sum()} of {len(which)} rows "
                         "are: sample more rows")
    return which
