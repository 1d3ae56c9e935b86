"""How many passes does self-speculative masked diffusion save on molecules, where a small network is good?

Design: the frontier of studies/arms.py on MOSES, with ancestral sampling in 32 steps as the quality to match. A row is
a molecule whose length is given, 36 characters to be written on average. Quality has three sides: validity, FCD to the
test molecules, and the share of distinct molecules; a matched setting is shown to be no worse on each. Orders: uniform,
dilated, and from left to right, since a SMILES string keeps most bonds between neighbours while rings and branches bind
characters far apart: dilation may lose here what it wins on text. Confidence samplers stand beside. NFE by convention
A: blocks over the eight of the heavy network.
"""

from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.maskgit import MaskGIT
from baselines.threshold import Threshold
from harness.metrics.molecules.fcd import Fcd
from harness.metrics.molecules.parts import Frag, Scaf
from harness.metrics.molecules.properties import KINDS, Filters, PropertyDistance
from harness.metrics.molecules.similarity import InternalDiversity, Snn
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty, Unique
from harness.schedules.order import Dilated, LeftToRight
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import ROUNDS, arms
from studies.families import MEMBERS, trained
from studies.moses_frontier.claims import LEFT, claims
from studies.moses_frontier.family import DATA, FAMILY, OUT

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

WINDOWS = [Linear(delta) for delta in (0.5, 0.25, 0.125, 0.0625, 0.03)]
TABLE = [Validity(), Unique(k=1000), Novelty(), Filters(), InternalDiversity(), InternalDiversity(p=2),
         *(metric(split=split) for metric in (Fcd, Snn, Frag, Scaf) for split in ("test", "scaffolds")),
         *(PropertyDistance(kind=kind) for kind in KINDS)]
STUDY = Study(
    name="moses_frontier", question=__doc__, data=DATA, reference="heavy", nets=trained(OUT, *MEMBERS),
    arms=[*arms(WINDOWS, steps=(4, 8, 16, 32, 64)),
          Arm("first_hitting", [FirstHitting()], {"main": "heavy"}),
          Arm(LEFT, [SelfSpeculative(window, ROUNDS, order=LeftToRight()) for window in WINDOWS[1:]],
              {"main": "hybrid_frozen"}),
          Arm("fixed_dilated", [FixedCount(window, Dilated()) for window in WINDOWS[1:4]], {"main": "heavy"}),
          Arm("maskgit", grid(MaskGIT, steps=[8, 16, 32]), {"main": "heavy"}),
          Arm("threshold", grid(Threshold, tau=[0.7, 0.9], tokens=["drawn"]), {"main": "heavy"})],
    metrics=TABLE, n=10_000, batch=128, dtype="bfloat16")
