"""What does the block save where the frameworks of an antibody are given, and its loops are written?

Design: the network, the blocks and the judge of studies/antibody. Held-out heavy chains of 120 residues keep their
frameworks; the 29 residues of the three loops are written. Windows of 30 tokens write all of them in one round, those
of 15 in two, of 8 in four. Blocks were trained with any tenth of a chain or more given, and see no framework more
often than other residues.
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.data.antibodies import Antibodies
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.antibody.study import METRICS, NETS
from studies.antibody_frameworks.claims import claims
from studies.arms import BASELINE, DILATED, HELD_OUT, SHUFFLED

__all__ = ["STUDY", "claims"]

ROUNDS, WINDOWS = 10, [Linear(0.25), Linear(0.125), Linear(0.0625)]


def speculative(block: str) -> Arm:
    return Arm(f"{DILATED}_{block}", [SelfSpeculative(window, ROUNDS, Dilated()) for window in WINDOWS],
               {"main": block})


STUDY = Study(
    name="antibody_frameworks", question=__doc__, data=Antibodies("runs/chains.fasta", length=120), reference="trunk",
    dtype="bfloat16", nets={name: NETS[name] for name in ("trunk", "s1", "s2", "blind", "own")},
    arms=[
        Arm(BASELINE, grid(Ancestral, steps=[2, 4, 8, 16]), {"main": "trunk"}),
        Arm("first_hitting", [FirstHitting()], {"main": "trunk"}),
        *map(speculative, ("s1", "s2", "blind", "own")),
        Arm("fixed_dilated", [FixedCount(window, Dilated()) for window in WINDOWS], {"main": "trunk"}),
        HELD_OUT, SHUFFLED,
    ],
    metrics=METRICS, n=512, batch=32)
