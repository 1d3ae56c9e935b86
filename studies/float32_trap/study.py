"""How much entropy does the float32 categorical draw lose, and does it lose more the more steps are taken?

Design: independent tokens of a Zipf law with 50,257 symbols, 7.57 nats, which the network knows exactly, so that
nothing is lost but by the draw. Arm fused_float32 races all tokens and MASK in float32, as much public code does; arm
ancestral chooses positions first and draws in float64. The exact law of the race is summed over the steps and drawn
beside the points. Expected: ancestral at 7.57 nats for any number of steps, the race near 7.2 at 128 steps, 6.7 at 512,
6.4 at 1,024, by its closed form. About eight minutes on one core: a race costs some 10 ms a masked position and step.
"""

from baselines.ancestral import Ancestral
from baselines.fused_float32 import FusedFloat32
from harness.data.zipf import Zipf
from harness.metrics.entropy import CorpusEntropy
from harness.metrics.exact_nll import ExactNll
from harness.nets.iid import Known
from harness.study import Arm, Study, grid
from studies.float32_trap.claims import claims, measure

__all__ = ["STUDY", "claims", "measure"]

DATA = Zipf(length=1)    # tokens are independent: each is a row, and rows are resampled
STEPS = [32, 128, 512]

STUDY = Study(
    name="float32_trap", question=__doc__, data=DATA, nets={"law": Known(DATA)}, reference="law",
    arms=[Arm("ancestral", grid(Ancestral, steps=STEPS), {"main": "law"}),
          Arm("fused_float32", grid(FusedFloat32, steps=STEPS), {"main": "law"})],
    metrics=[ExactNll(), CorpusEntropy()], n=128, batch=4)
