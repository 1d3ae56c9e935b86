"""Rows as molecules, by RDKit.

A text is a molecule if RDKit reads it as SMILES and finds its valences and rings sound, as the benchmark MOSES has it
(arXiv 1811.12823). A text of no character is none, where RDKit takes it for a molecule without atoms.

    >>> canonical("OC"), canonical("C1CC"), canonical("")
    ('CO', None, None)
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeGuard

import numpy as np
from torch import Tensor

from harness.kinds import Dataset
from harness.metrics.form import tokens

INSTALL = "`pip install ssmd-bench[molecules]`"


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


@lru_cache(maxsize=1)
def chem() -> Any:
    """rdkit.Chem, which says nothing on stderr. Raises ValueError, in one sentence, where it is missing."""
    try:
        from rdkit import Chem, rdBase
    except ImportError:
        raise ValueError(f"metrics of molecules need rdkit, which is not installed: {INSTALL}") from None
    rdBase.DisableLog("rdApp.*")
    return Chem


def canonical(text: str) -> str | None:
    """The SMILES that RDKit writes for a molecule; None if the text is none."""
    found = chem().MolFromSmiles(text) if text else None
    return None if found is None else chem().MolToSmiles(found)


def sound(smiles: Sequence[str | None]) -> list[Any]:
    """RDKit's molecules of the texts that are there, which RDKit wrote."""
    return [chem().MolFromSmiles(one) for one in smiles if one is not None]


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
