"""Is the gain of the best method in passes a gain in seconds? Ancestral sampling in 32 steps against the
self-speculative sampler in a dilated order, timed in turns.

Design: one setting each, those of studies/dilated: a linear window of an eighth, whose samples are better than those
of 32 steps, so that the ratio is not bought with quality. 32 rows in one batch, one thread, eight fresh processes in
which both are timed in an order of their own (harness/run/timing.py). A process is one unit of the interval. Expected,
written before the run: about 3.1 times fewer passes and nine tenths of that in seconds, as for the plain sampler
(seconds_share_of_nfe_gain.text). `ssmd-bench run studies/best_seconds --claims`: about three minutes on one core
that nothing else uses.
"""

from functools import partial

from baselines.ancestral import Ancestral
from harness.metrics.words import Spelling
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from harness.study import Arm, Study, Timing
from ssmd.sampler import SelfSpeculative
from studies.analysis.seconds import seconds_ratio
from studies.families import TEXT, nets

__all__ = ["STUDY", "claims"]

STUDY = Study(
    name="best_seconds", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("heavy", "hybrid_frozen"),
    arms=[Arm("ancestral", [Ancestral(32)], {"main": "heavy"}),
          Arm("ssmd_dilated", [SelfSpeculative(Linear(0.125), 10, order=Dilated())], {"main": "hybrid_frozen"})],
    metrics=[Spelling()], n=64, batch=32, seed=21, timing=Timing(processes=8, rows=32, repeats=3))
claims = partial(seconds_ratio, "headline.best.seconds_ratio")
