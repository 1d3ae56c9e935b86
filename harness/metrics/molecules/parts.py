"""What molecules are made of, against a held-out split, as MOSES has it: the cosine between counts.

frag    of the pieces that BRICS cuts a molecule into (Degen et al., 2008)
scaf    of scaffolds (Bemis and Murcko, 1996) of two rings or more
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from harness.data.smiles import chem, sound
from harness.kinds import Dataset, Scores
from harness.metrics.form import linearised
from harness.metrics.molecules.chemistry import canonical_rows, counted
from harness.metrics.molecules.reference import Against

RINGS = 2


def fragments(one: Any) -> list[str]:
    """The pieces of a molecule, as SMILES, cut where BRICS cuts."""
    from rdkit.Chem import AllChem  # noqa: F401    # it brings what the next line names

    return str(chem().MolToSmiles(chem().AllChem.FragmentOnBRICSBonds(one))).split(".")


def scaffold(one: Any) -> list[str]:
    """The scaffold of a molecule, as SMILES; nothing if it has fewer than two rings."""
    from rdkit.Chem.Scaffolds import MurckoScaffold

    try:
        found = MurckoScaffold.GetScaffoldForMol(one)
    except (ValueError, RuntimeError):
        return []
    return [str(chem().MolToSmiles(found))] if found.GetRingInfo().NumRings() >= RINGS else []


def cosine(parts: Sequence[Sequence[str]], reference: dict[str, int]) -> tuple[float, np.ndarray]:
    """Parts of each of m molecules against counts: the cosine, and the influence of each molecule (m,). Raises
    ValueError if there are no parts at all.
    """
    own = Counter(part for row in parts for part in row)
    if not own or not reference:
        raise ValueError("the molecules have no part to count, such as a scaffold of two rings: sample more rows")
    both = sum(count * reference.get(part, 0) for part, count in own.items())
    size, theirs = (float(np.sqrt(sum(count**2 for count in some.values()))) for some in (own, reference))
    value = both / size / theirs
    influence = [sum(reference.get(part, 0) / size / theirs - value * own[part] / size**2 for part in row)
                 for row in parts]
    return value, len(parts) * np.array(influence)


class _Cosine(Against):
    """Of the parts that `cut` finds, against the counts `what`."""

    what: ClassVar[str]

    def cut(self, one: Any) -> list[str]:
        raise NotImplementedError

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        which, parts = counted(found, self.name), [self.cut(one) for one in sound(found)]
        return linearised(*cosine(parts, self.counts(self.what, data)), which, self.name)


@dataclass(frozen=True)
class Frag(_Cosine):
    """Cosine between the counts of BRICS fragments in valid rows and in a held-out split, 0 to 1. Higher is better.
    Raises ValueError for fewer than two valid molecules, or a reference file that is missing or of other molecules.
    """

    name: ClassVar[str] = "frag"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "cosine"
    what: ClassVar[str] = "fragments"

    def cut(self, one: Any) -> list[str]:
        """RDKit's molecule -> the SMILES of its fragments."""
        return fragments(one)


@dataclass(frozen=True)
class Scaf(_Cosine):
    """Cosine between the counts of scaffolds of two rings or more in valid rows and in a held-out split, 0 to 1. Higher
    is better. Raises ValueError as Frag does, and where no row has such a scaffold.
    """

    name: ClassVar[str] = "scaf"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "cosine"
    what: ClassVar[str] = "scaffolds"

    def cut(self, one: Any) -> list[str]:
        """RDKit's molecule -> the SMILES of its scaffold, or nothing."""
        return scaffold(one)
