"""A network of molecules that writes its ENDs itself, of the budget of studies/moses_ends_given:

    ssmd-bench train family --recipe studies/moses_ends_written/family.py --out runs/moses_ends
"""

from dataclasses import replace

from studies.moses_ends_given.family import FAMILY as GIVEN
from studies.moses_ends_given.family import OUT
from studies.moses_frontier.family import DATA as ENDS_GIVEN

__all__ = ["DATA", "FAMILY", "OUT"]

DATA = replace(ENDS_GIVEN, ends=False)
FAMILY = {"ends_written": GIVEN["ends_given"]}
