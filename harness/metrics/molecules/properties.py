"""Properties of molecules, as MOSES has them: how far their law is from that of a held-out split, and the benchmark's
filters.

property_distance   Wasserstein's distance between the values of valid rows and those of the split: of logP (Wildman and
                    Crippen, 1999), SA (Ertl and Schuffenhauer, 2009), QED (Bickerton et al., 2012) or weight
filters             share of valid rows that pass: no ring of eight atoms or more, no charge, no atom but C N S O F Cl
                    Br H, no pattern of the benchmark's medicinal-chemistry filters and of PAINS

SA is computed by the module that RDKit ships beside its library, which reads RDKit's own table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from harness.data.smiles import chem, sound
from harness.kinds import Dataset, Scores
from harness.metrics.form import linearised, ratio
from harness.metrics.molecules.chemistry import canonical_rows, counted
from harness.metrics.molecules.reference import BUILT, Against, opened, opened_for, text_of
from harness.param import Choice, check, param

KINDS = ("logp", "sa", "qed", "weight")
ATOMS, LARGEST = frozenset(("C", "N", "S", "O", "F", "Cl", "Br", "H")), 7


@lru_cache(maxsize=4)
def property_of(kind: str) -> Callable[[Any], float]:
    """A function of RDKit's molecules: logP, SA, QED or the weight in daltons, by `kind`. Raises ValueError where RDKit
    or a part of it is missing.
    """
    chem()
    from rdkit import RDConfig
    from rdkit.Chem import QED, Crippen, Descriptors  # noqa: F401    # chem() then has them

    if kind == "sa":
        from importlib.util import module_from_spec, spec_from_file_location
        found = spec_from_file_location("sascorer", Path(RDConfig.RDContribDir) / "SA_Score/sascorer.py")
        if found is None or found.loader is None or not Path(str(found.origin)).is_file():
            raise ValueError("this RDKit comes without its module SA_Score: install rdkit from PyPI or conda")
        found.loader.exec_module(module := module_from_spec(found))
        score: Callable[[Any], float] = module.calculateScore
        return score
    made: dict[str, Callable[[Any], float]] = {"logp": chem().Crippen.MolLogP, "qed": chem().QED.qed,
                                               "weight": chem().Descriptors.MolWt}
    return made[kind]


@dataclass(frozen=True)
class PropertyDistance(Against):
    """Wasserstein's distance between a property of valid rows and of a held-out split, in the unit of the property.
    Lower is better. Raises ValueError for fewer than two valid molecules, or a reference file that is missing or of
    other molecules.
    """

    name: ClassVar[str] = "property_distance"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "in its own unit"

    kind: str = param("logp", Choice(*KINDS))

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        which, read = counted(found, self.name), property_of(self.kind)
        return linearised(*distance(np.array([read(one) for one in sound(found)]), self.of(self.kind, data)), which,
                          self.name)


def distance(x: np.ndarray, reference: np.ndarray) -> tuple[float, np.ndarray]:
    """Wasserstein's of values (m,) and (n,): with distribution functions F and G the integral of |F - G|, and the
    influence of each value (m,), the integral of sign(F - G) (1[x <= t] - F) dt.
    """
    from scipy.stats import wasserstein_distance  # half a second

    points = np.sort(np.concatenate((x, reference)))                               # (m + n,)
    ahead = (np.searchsorted(np.sort(x), points[:-1], side="right") / len(x)
             - np.searchsorted(np.sort(reference), points[:-1], side="right") / len(reference))
    rest = np.append(np.cumsum((np.sign(ahead) * np.diff(points))[::-1])[::-1], 0.0)    # from each point to the end
    return float(wasserstein_distance(x, reference)), rest[np.searchsorted(points, x)]


@dataclass(frozen=True)
class Filters:
    """Share of valid rows that pass the filters of MOSES. Higher is better. Raises ValueError where no row is a valid
    molecule, or for a reference file that is missing or of other molecules.
    """

    name: ClassVar[str] = "filters"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share of molecules"

    reference: str = param(BUILT, note="file that `ssmd-bench data moses_reference` wrote")

    def __post_init__(self) -> None:
        check(self)

    def identity(self) -> dict[str, Any]:
        """What the key of a score holds: the hash of the reference file in place of the path."""
        return {"name": self.name, "version": self.version, "reference": opened(self.reference)[0]["sha256"]}

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = canonical_rows(samples, data)
        which = counted(found, self.name, 1)
        patterns = _patterns(tuple(text_of(opened_for(self.reference, data)["filters"].numpy())))
        over = np.zeros(len(which))
        over[which] = [passes(one, patterns) for one in sound(found)]
        return ratio(over, which, self.name)


@lru_cache(maxsize=2)
def _patterns(texts: tuple[str, ...]) -> list[Any]:
    return [chem().MolFromSmarts(text) for text in texts]


def passes(one: Any, patterns: Sequence[Any]) -> bool:
    """Whether a molecule passes the benchmark's filters."""
    if any(len(ring) > LARGEST for ring in one.GetRingInfo().AtomRings()):
        return False
    if any(atom.GetFormalCharge() or atom.GetSymbol() not in ATOMS for atom in one.GetAtoms()):
        return False
    whole = chem().AddHs(one)
    return not any(whole.HasSubstructMatch(pattern) for pattern in patterns)
