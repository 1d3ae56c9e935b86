"""Does everything run, and do exact samplers sample the law? Every sampler on an exact joint of 81 sequences; no
training.

Expected: first-hitting, any-order and self-speculative arms at the noise floor of total variation (about 0.035 at n =
4,096), ancestral sampling falling towards it with its steps, fixed counts of four far from it. About 20 seconds on two
cores. This is what CI runs.
"""

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.fused_float32 import FusedFloat32
from baselines.scheduled import Scheduled
from harness.data.control import HeldOut
from harness.data.exact import Exact
from harness.metrics.entropy import CorpusEntropy
from harness.metrics.exact_nll import ExactNll
from harness.metrics.law import LawTv
from harness.schedules.placement import Middle, Sandwich
from harness.schedules.window import Fixed, Open
from harness.study import Arm, Study, Table, Timing, grid
from ssmd.sampler import SelfSpeculative

DATA = Exact()

STUDY = Study(
    name="smoke", question=__doc__, data=DATA, nets={"heavy": Table(DATA), "light": Table(DATA, power=0.5)},
    reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[1, 2, 4, 16]), {"main": "heavy"}),
        Arm("first_hitting", [FirstHitting()], {"main": "heavy"}),
        Arm("any_order", [AnyOrder()], {"main": "heavy"}),
        Arm("fixed_count", grid(FixedCount, window=[Fixed(2), Open()]), {"main": "heavy"}),
        Arm("ssmd", grid(SelfSpeculative, window=[Fixed(2), Open()], rounds=[1, 4]), {"main": "heavy"}),
        Arm("scheduled", [Scheduled(FirstHitting(), p) for p in (Sandwich(0.5), Middle(0.5))],
            {"main": "heavy", "light": "light"}),
        Arm("fused_float32", [FusedFloat32(4)], {"main": "heavy"}),
        Arm("held_out", [HeldOut()]),
    ],
    metrics=[LawTv(), ExactNll(), CorpusEntropy()], n=4096, batch=512, timing=Timing(processes=1, rows=64))
