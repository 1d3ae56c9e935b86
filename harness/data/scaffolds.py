"""Molecules of MOSES with prompts that give a scaffold, and leave its side chains to be written.

    Scaffolds("runs/moses.npz").prompts(0, 8)                                      # (8, 58)

A prompt is a molecule of the benchmark's scaffold split, whose scaffolds (Bemis and Murcko, 1996) no training molecule
has. Its characters are given but for those of atoms outside the scaffold, so that a side chain has the length that it
had. `repeats` rows in a row have one prompt.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.data.moses import END, LENGTH, Moses
from harness.data.smiles import chem
from harness.param import Range, check, param

# an atom, and a ring's bond and digit behind it; brackets of a branch; a bond before an atom
PARTS = re.compile(r"(?P<atom>\[[^\]]*\]|Cl|Br|[A-Za-z])|(?P<behind>[-=#:/\\]?(?:%\d\d|\d))|(?P<opens>\()"
                   r"|(?P<closes>\))|(?P<before>.)")
LEAST = 4    # characters to be written


def side_chains(smiles: str) -> list[bool]:
    """Of each character, whether it is of an atom outside the scaffold: of the atom itself, of a ring's digit behind
    it, of a bond before it, of the brackets of a branch that begins with it. Nothing is, if there is no scaffold.

    >>> "".join("_" if side else one for one, side in zip("CCc1ccc(O)cc1", side_chains("CCc1ccc(O)cc1")))
    '__c1ccc___cc1'
    """
    from rdkit.Chem.Scaffolds import MurckoScaffold

    molecule = chem().MolFromSmiles(smiles)
    if molecule is None:
        raise ValueError(f"{smiles!r} is no molecule")
    for atom in molecule.GetAtoms():
        atom.SetIntProp("place", atom.GetIdx())
    kept = {atom.GetIntProp("place") for atom in MurckoScaffold.GetScaffoldForMol(molecule).GetAtoms()}
    owner, atoms, branches = list[int](), -1, list[int]()    # the first atom of each open branch
    for part in PARTS.finditer(smiles):
        atoms += part.lastgroup == "atom"
        whose = atoms + (part.lastgroup in ("before", "opens"))
        if part.lastgroup == "opens":
            branches.append(whose)
        elif part.lastgroup == "closes":
            whose = branches.pop()
        owner += [whose] * len(part.group())
    return [bool(kept) and one not in kept for one in owner]


@dataclass(frozen=True)
class Scaffolds(Moses):
    """Moses with prompts that give the scaffold of a held-out molecule and mask its side chains: rows (n, 58). Raises
    ValueError for ends=False.
    """

    name: ClassVar[str] = "scaffolds"
    version: ClassVar[int] = 1

    repeats: int = param(4, Range(1, 1 << 20), "rows of one prompt")

    def __post_init__(self) -> None:
        check(self)
        if not self.ends:
            raise ValueError("a scaffold's prompt gives the ENDs: leave ends=False out")

    @property
    def prompts(self) -> Callable[[int, int], Tensor]:
        """Rows first..last-1 -> (last - first, L). Raises ValueError for more scaffolds than the split has."""
        def given(first: int, last: int) -> Tensor:
            rows = _prompts(self, self.content().sha256, -(-last // self.repeats))
            return rows.repeat_interleave(self.repeats, 0)[first:last]
        return given

    def identity(self) -> dict[str, Any]:
        return super().identity() | {"repeats": self.repeats}


@lru_cache(maxsize=4)
def _prompts(data: Scaffolds, _sha256: str, n: int) -> Tensor:
    """(n, L) of different molecules, in the order of `rows`."""
    begin, end = data._places("scaffolds")
    kept = list[Tensor]()
    if not n:
        return data.rows("scaffolds", 0, 0)
    for row in data.rows("scaffolds", min(end - begin, 8 * n + 64), 0):
        side = torch.zeros(LENGTH, dtype=torch.bool)
        side[: int((row != END).sum())] = torch.tensor(side_chains(data.decode(row[None])[0]))
        if side.sum() >= LEAST:
            kept.append(torch.where(side, data.mask, row))
        if len(kept) == n:
            return torch.stack(kept)
    raise ValueError(f"{len(kept)} molecules of the scaffold split have {LEAST} characters outside their scaffold, and "
                     f"{n} are wanted: ask for fewer rows, or raise repeats")
