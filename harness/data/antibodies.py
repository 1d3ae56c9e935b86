"""Variable domains of antibodies, from a FASTA file, with prompts that give the frameworks and leave the loops (CDRs)
to be written, as designers do.

    Antibodies("chains.fasta", length=120).prompts(0, 8)                           # (8, 120)

Loops are those of IMGT's numbering (Lefranc et al., 2003), which the package anarcism finds. Row k of the prompts is
the k-th held-out row that it recognises. Splits and rows are those of the data set fasta.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.data.fasta import Fasta
from harness.data.residues import decode
from harness.param import Choice, Range, check, param

LOOPS = ("CDR1", "CDR2", "CDR3")
CHAINS = ("H", "K", "L")
WHOLE = {"FR1", "FR2", "FR3", "FR4", *LOOPS}    # regions of a domain that no crop has cut
LOOK = 64    # rows numbered at a time


@lru_cache(maxsize=1)
def anarcism() -> Any:
    """The package that numbers antibodies. Raises ValueError, in one sentence, where it is missing."""
    try:
        import anarcism as found
    except ImportError:
        raise ValueError("antibodies are numbered by anarcism, which is not installed: `pip install "
                         "ssmd-bench[antibodies]`") from None
    return found


def regions(rows: Sequence[str], chain: str) -> list[list[str] | None]:
    """The region of each residue of sequences, FR1 to FR4, "" outside the domain; None where no domain of that chain is
    recognised.
    """
    found = list[list[str] | None]()
    named = [(str(k), row) for k, row in enumerate(rows)]
    for row, numbered in zip(rows, anarcism().number_sequences(named, allowed_chains=[chain]) if rows else ()):
        place = {r.sequence_index: r.region for r in numbered.domains[0].numbering} if numbered.domains else None
        found.append(None if place is None else [place.get(k, "") for k in range(len(row))])
    return found


@dataclass(frozen=True)
class Antibodies(Fasta):
    """Rows of Fasta that are variable domains of antibodies, with prompts that give the frameworks and mask the loops
    `written`. One residue is one token. Prompts raise ValueError where the package anarcism, which finds the loops, is
    missing; rows do without it.
    """

    name: ClassVar[str] = "antibodies"
    version: ClassVar[int] = 1

    length: int = param(120, Range(1, 65536), "residues a row")
    chain: str = param("H", Choice(*CHAINS))
    written: str = param("all", Choice("all", *LOOPS), "the loops that a prompt leaves to be written")

    def __post_init__(self) -> None:
        check(self)

    def prompts(self, first: int, last: int) -> Tensor:
        """Rows first..last-1, (last - first, L): held-out domains, MASK in their loops. Raises ValueError if fewer are
        recognised.
        """
        return _prompts(self, self.identity()["sha256"], last)[first:last]

    def identity(self) -> dict[str, Any]:
        """What the key of a cell holds, the version of the numbering too; "absent" where there is none."""
        try:
            numbering = anarcism().__version__
        except ValueError:
            numbering = "absent"
        return super().identity() | {"chain": self.chain, "written": self.written, "numbering": numbering}


@lru_cache(maxsize=4)
def _prompts(data: Antibodies, _sha256: str, n: int) -> Tensor:
    x = data.rows("test", len(data._pool("test").first), 0)                        # (m, L)
    loops, kept = LOOPS if data.written == "all" else (data.written,), list[Tensor]()
    for some in x.split(LOOK) if n else ():
        for row, where in zip(some, regions(decode(some), data.chain)):
            if where is not None and WHOLE <= {*where}:
                kept.append(torch.where(torch.tensor([region in loops for region in where]), data.mask, row))
        if len(kept) >= n:
            break
    if len(kept) < n:
        raise ValueError(f"of {len(x)} held-out rows of {data.path} {len(kept)} are recognised as whole domains of "
                         f"chain {data.chain}, and {n} are wanted: ask for fewer, or give more sequences")
    return torch.stack([*kept[:n]]) if n else x[:0]
