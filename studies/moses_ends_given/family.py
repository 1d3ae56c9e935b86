"""A network of molecules that always sees the ENDs, of the budget of studies/moses_ends_written:

    ssmd-bench train family --recipe studies/moses_ends_given/family.py --out runs/moses_ends
"""

from pathlib import Path

from ssmd.train.settings import Training
from studies.moses_frontier.family import DATA, SIZE

__all__ = ["DATA", "FAMILY", "OUT"]

OUT = Path("runs/moses_ends")
FAMILY = {"ends_given": Training("masked", blocks=5, **SIZE | {"tokens": 6e6})}
