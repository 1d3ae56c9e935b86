"""A study whose run was stored by schema 1 (schema1.zip): does it open unchanged in meaning?"""

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from harness.data.control import HeldOut
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.metrics.law import LawTv
from harness.schedules.window import Fixed
from harness.study import Arm, Study, Table, Timing

DATA = Exact()
STUDY = Study(
    name="toy",
    question=__doc__,
    data=DATA,
    nets={"heavy": Table(DATA)},
    reference="heavy",
    metrics=[ExactNll(), LawTv()],
    n=12,
    batch=4,
    timing=Timing(processes=1, rows=4, repeats=2),
    arms=[
        Arm("ancestral", [Ancestral(2), Ancestral(4)], {"main": "heavy"}),
        Arm("fixed", [FixedCount(Fixed(2))], {"main": "heavy"}),
        Arm("held_out", [HeldOut()]),
    ],
)
