"""Where a scaffold is given and its side chains are written: how good and how different are the molecules, against
passes?

Design: the networks of studies/moses_frontier. Scaffolds of the benchmark's scaffold split, which no training molecule
has, each with four rows; a side chain has the length that it had, about ten characters in all. Validity, distinct
molecules and diversity stand beside each other: one side chain written again and again is valid too.
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.data.scaffolds import Scaffolds
from harness.metrics.molecules.properties import Filters
from harness.metrics.molecules.similarity import InternalDiversity
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty, Unique
from harness.schedules.order import Dilated, LeftToRight
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import ARM, BASELINE, DILATED, HELD_OUT, ROUNDS
from studies.families import trained
from studies.moses_frontier.claims import LEFT
from studies.moses_frontier.family import DATA, OUT
from studies.moses_scaffolds.claims import claims

__all__ = ["STUDY", "claims"]

WINDOWS = [Linear(delta) for delta in (0.125, 0.0625, 0.03)]    # seven, four, two characters
HYBRID = {"main": "hybrid_frozen"}

STUDY = Study(
    name="moses_scaffolds", question=__doc__, data=Scaffolds(DATA.path), reference="heavy",
    nets=trained(OUT, "heavy", "hybrid_frozen"),
    arms=[Arm(BASELINE, grid(Ancestral, steps=[2, 4, 8, 16]), {"main": "heavy"}),
          Arm("first_hitting", [FirstHitting()], {"main": "heavy"}),
          Arm(ARM, [SelfSpeculative(window, ROUNDS) for window in WINDOWS], HYBRID),
          Arm(DILATED, [SelfSpeculative(WINDOWS[1], ROUNDS, order=Dilated())], HYBRID),
          Arm(LEFT, [SelfSpeculative(window, ROUNDS, order=LeftToRight()) for window in WINDOWS], HYBRID),
          Arm("fixed_dilated", [FixedCount(WINDOWS[1], Dilated())], {"main": "heavy"}), HELD_OUT],
    metrics=[Validity(), Unique(k=1000), Novelty(), InternalDiversity(), Filters()], n=2048, batch=128,
    dtype="bfloat16")
