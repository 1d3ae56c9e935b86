"""Which noise schedule, how many steps, which temperature? Ancestral sampling on an exact joint of 729 sequences, a
network that is a table: seconds, no training.

Two objectives: the likelihood of the samples under the law itself, and passes. A colder sampler is more likely and
repeats itself, so the share of distinct rows is held to a band around that of held-out rows: without it the coldest
temperature would win. Expected: a front from one pass to about five (there are six places), each pass more likely than
the one before; one pass is admitted only when very cold. `ssmd-bench sweep studies/sweep_smoke --jobs 2`: 20
seconds.
"""

from baselines.ancestral import Ancestral
from harness.data.control import HeldOut
from harness.data.exact import Exact
from harness.metrics.distinct import Distinct
from harness.metrics.exact_nll import ExactNll
from harness.param import Choice, Range
from harness.schedules.noise import Cosine, Linear, Polynomial
from harness.search.sweep import Band, Sweep
from harness.study import Arm, Study, Table

DATA = Exact(length=6)

STUDY = Study(
    name="sweep_smoke", question=__doc__, data=DATA, nets={"heavy": Table(DATA)}, reference="heavy",
    arms=[Arm("ancestral", [Ancestral(4)], {"main": "heavy"}), Arm("held_out", [HeldOut()])],
    metrics=[ExactNll(), Distinct("chars", 6)], n=512, batch=128)

SWEEP = Sweep(STUDY, arm="ancestral", objectives=("exact_nll", "nfe_a"), trials=24, early=(64,),
              constraint=Band("distinct", width=0.1), space={
"steps": Range(1, 32, log=True), "schedule": Choice(Linear(), Cosine(), Polynomial()),
"schedule.polynomial.exponent": Range(0.25, 4.0, log=True),
"temperature": Range(0.1, 1.25)})
