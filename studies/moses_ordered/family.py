"""A network of molecules that is trained for one order of writing, from left to right, and begins as the heavy network
of studies/moses_frontier:

    ssmd-bench train heavy_ordered --recipe studies/moses_ordered/family.py --compile --out runs/moses_ordered \
        --init runs/moses_family/heavy/heavy.safetensors
"""

from dataclasses import replace
from pathlib import Path

from harness.schedules.order import LeftToRight
from studies.moses_frontier.family import DATA
from studies.moses_frontier.family import FAMILY as FRONTIER

__all__ = ["DATA", "FAMILY", "OUT"]

OUT = Path("runs/moses_ordered")
FAMILY = {"heavy_ordered": replace(FRONTIER["heavy"], order=LeftToRight(), tokens=8e6)}
