"""Quality against passes of every sampler there is, from 4 passes to one a token, on the shipped family.

Design: each sampler over its whole range, rows sharing seeds: ancestral sampling under two schedules, first-hitting with several tokens an event, the same with a quarter
of the text from the light network (sandwich), the self-speculative sampler from wide windows to one token, its windows unverified, one token a pass from its target, and
the float32 race as a control for a common fault. NFE by convention A (blocks over blocks); B and C are recorded. Claims: passes of ancestral sampling over those of the
self-speculative sampler at the likelihood that ancestral sampling reaches in 8, 16, 32 and 64 steps, where both fronts reach it. Expected, from the paper's headline: ratios
near 2 at few passes, falling towards 1 at many. `ssmd-bench run studies/frontier.py --jobs 2 --no-time --claims`: 75 minutes on two cores at n = 1,024.
"""

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.fused_float32 import FusedFloat32
from baselines.scheduled import Scheduled
from harness.control import HeldOut, Shuffled
from harness.placement import Sandwich
from harness.schedule import Cosine as CosineSchedule
from harness.study import Arm, Study, grid
from harness.window import Cosine, Linear, Open
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO
from studies.found.frontier import claims

__all__ = ["STUDY", "claims"]

STEPS = [4, 8, 16, 32, 64, 128]
WINDOWS = [(16, Open()), (10, Cosine(0.3)), (10, Linear(0.125)), (10, Cosine(0.16)), (10, Cosine(0.083)), (4, Cosine(0.04)), (2, Cosine(0.02)), (1, Cosine(0.002))]
HEAVY, HYBRID = {"main": "heavy"}, {"main": "hybrid"}

STUDY = Study(
    name="frontier", question=__doc__, data=DEMO.data, nets=DEMO.nets, reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=STEPS), HEAVY),
        Arm("ancestral_cosine", grid(Ancestral, steps=[4, 8, 16, 32], schedule=[CosineSchedule()]), HEAVY),
        Arm("first_hitting", grid(FirstHitting, tokens=[1, 4, 16, 32]), HEAVY),
        Arm("scheduled", [Scheduled(Ancestral(steps), Sandwich(0.25)) for steps in STEPS[:-1]], HEAVY | {"light": "light"}),
        Arm("ssmd", [SelfSpeculative(window, rounds) for rounds, window in WINDOWS], HYBRID),
        Arm("fixed_count", [FixedCount(window) for _, window in WINDOWS[1:6]], HYBRID),
        Arm("any_order", [AnyOrder()], HYBRID),
        Arm("fused_float32", grid(FusedFloat32, steps=[16, 64]), HEAVY),
        Arm("held_out", [HeldOut()]),
        Arm("shuffled", [Shuffled()]),
    ],
    metrics=DEMO.metrics, n=1024, batch=64)
