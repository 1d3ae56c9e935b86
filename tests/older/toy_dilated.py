"""A study whose run was stored by schema 2 (schema2.zip), when a sampler was put in a dilated order by another around
it.
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.metrics.law import LawTv
from harness.schedules.order import Dilated
from harness.schedules.window import Fixed
from harness.study import Arm, Study, Table, Timing
from ssmd.sampler import SelfSpeculative

DATA = Exact()
STUDY = Study(
    name="toy_dilated",
    question=__doc__,
    data=DATA,
    nets={"heavy": Table(DATA)},
    reference="heavy",
    metrics=[ExactNll(), LawTv()],
    n=12,
    batch=4,
    timing=Timing(processes=1, rows=4, repeats=2),
    arms=[
        Arm("ancestral", [Ancestral(2)], {"main": "heavy"}),
        Arm("fixed_dilated", [FirstHitting(2, Dilated()), FixedCount(Fixed(2), Dilated())], {"main": "heavy"}),
        Arm("ssmd_dilated", [SelfSpeculative(Fixed(2), 2, Dilated())], {"main": "heavy"}),
    ],
)
