"""How many passes does self-speculative masked diffusion save on molecules?

Design: the frontier of studies/arms.py on MOSES, with ancestral sampling in 32 steps as the quality to match. A row is
a molecule whose length is given, 36 characters to be written on average. Quality has three sides: validity, FCD to the
test molecules, and the share of distinct molecules among the first 300 valid ones (a setting with fewer has no such
score and is not matched); a matched setting is shown to be no worse on each. Orders: uniform, dilated, and from left to
right, since a SMILES string keeps most bonds between neighbours while rings and branches bind characters far apart:
dilation may lose here what it wins on text. Confidence samplers stand beside. NFE by convention A: blocks over the
eight of the heavy network.
"""

from dataclasses import replace

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.maskgit import MaskGIT
from baselines.threshold import Threshold
from harness.metrics.molecules.fcd import Fcd
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty, Unique
from harness.schedules.order import Dilated, LeftToRight
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import ARM, DILATED, ROUNDS, SHUFFLED, arms
from studies.families import MEMBERS, trained
from studies.moses_frontier.claims import LEFT, claims
from studies.moses_frontier.family import DATA, FAMILY, OUT

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

WINDOWS = [Linear(delta) for delta in (0.5, 0.25, 0.125, 0.0625, 0.03)]
# 36 characters leave steps empty: 32 take 21.6 passes, and the sandwich the FLOPs of 16.9, as 20 steps or so do
FEWER = Arm("fewer_steps", grid(Ancestral, steps=[20, 21, 24, 26]), {"main": "heavy"})
FINER = [Linear(0.05)]    # three characters at a time, between the four of 0.0625 and the two of 0.03


def settings(arm: Arm) -> Arm:
    """An arm of studies/arms.py as it is here."""
    if arm.name in (ARM, DILATED):
        return replace(arm, points=[*arm.points, *(replace(arm.points[0], window=window) for window in FINER)])
    return FEWER if arm.name == FEWER.name else arm


STUDY = Study(
    name="moses_frontier", question=__doc__, data=DATA, reference="heavy", nets=trained(OUT, *MEMBERS),
    arms=[*(settings(arm) for arm in arms(WINDOWS, steps=(4, 8, 16, 32, 64))
            if arm is not SHUFFLED),    # too few of its rows are molecules
          Arm("first_hitting", [FirstHitting()], {"main": "heavy"}),
          Arm(LEFT, [SelfSpeculative(window, ROUNDS, order=LeftToRight()) for window in (*WINDOWS[1:], *FINER)],
              {"main": "hybrid_frozen"}),
          Arm("fixed_dilated", [FixedCount(window, Dilated()) for window in WINDOWS[1:4]], {"main": "heavy"}),
          Arm("maskgit", grid(MaskGIT, steps=[8, 16, 32]), {"main": "heavy"}),
          Arm("threshold", grid(Threshold, tau=[0.7, 0.9], tokens=["drawn"]), {"main": "heavy"})],
    metrics=[Validity(), Fcd(split="test"), Unique(k=300), Novelty()], n=2048, batch=128, dtype="bfloat16")
