"""Texts as molecules, by RDKit.

A text is a molecule if RDKit reads it as SMILES and finds its valences and rings sound, as the benchmark MOSES has it
(arXiv 1811.12823). A text of no character is none, where RDKit takes it for a molecule without atoms.

    >>> canonical("OC"), canonical("C1CC"), canonical("")
    ('CO', None, None)
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

INSTALL = "`pip install ssmd-bench[molecules]`"


@lru_cache(maxsize=1)
def chem() -> Any:
    """rdkit.Chem, which says nothing on stderr. Raises ValueError, in one sentence, where it is missing."""
    try:
        from rdkit import Chem, rdBase
    except ImportError:
        raise ValueError(f"molecules are read by rdkit, which is not installed: {INSTALL}") from None
    rdBase.DisableLog("rdApp.*")
    return Chem


def canonical(text: str) -> str | None:
    """The SMILES that RDKit writes for a molecule; None if the text is none. A few molecules it writes so that it
    cannot read them again: their text stands as it is.
    """
    found = chem().MolFromSmiles(text) if text else None
    if found is None:
        return None
    written = str(chem().MolToSmiles(found))
    return text if chem().MolFromSmiles(written) is None else written


def sound(smiles: Sequence[str | None]) -> list[Any]:
    """RDKit's molecules of the texts that are there, as `canonical` gives them."""
    return [chem().MolFromSmiles(one) for one in smiles if one is not None]
