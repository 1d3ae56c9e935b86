"""Which step of the window and how many verify rounds buy the most quality a pass? A search over delta x N of the
self-speculative sampler, on the shipped hybrid.

Design: 64 points, cosine and linear windows from one token to all of them, N from 1 to 32, chosen by TPE for two
objectives at once, the judge's likelihood and NFE by convention A (blocks over blocks). The entropy of samples is held
to a band around that of held-out text, so that repetition cannot pass for quality. Rows share seeds, so points differ
by their settings alone; one that others beat beyond doubt at 64 rows is given up there. Beside the search, at the same
n, the six published settings. Claims: what more than one verify round is worth at no more than 16 passes; the front
against the six, chosen on one half of the rows and judged on the other (harness/stats/sample_splitting.py). Expected: a
second round helps, because it costs one block in six and reveals more of the same window; the front is ahead of the
six, whose smallest steps, made for longer texts, write one token a pass here. It spans 8 to 128 passes: every verify
pass costs a sixth, so that no setting needs fewer than about 7.5. `ssmd-bench sweep studies/window_sweep --compile
--claims`: about an hour on one core.
"""

from harness.param import Choice, Range
from harness.records.store import Store
from harness.schedules.order import Uniform
from harness.schedules.window import Cosine, Linear
from harness.search.sweep import Band, Sweep
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT
from studies.families import TEXT, metrics, nets
from studies.window_sweep import claims as found

__all__ = ["STUDY", "SWEEP", "claims"]

PUBLISHED = [(1, 0.002), (2, 0.005), (3, 0.01), (4, 0.02), (8, 0.04), (10, 0.083)]    # N, delta of arXiv 2510.03929

STUDY = Study(
    name="window_sweep", question=__doc__, data=TEXT, nets=nets("hybrid", "heavy"),
    reference="heavy",
    arms=[
        Arm("ssmd", [SelfSpeculative(Cosine())], {"main": "hybrid"}),
        Arm("published", [SelfSpeculative(Cosine(delta), rounds) for rounds, delta in PUBLISHED], {"main": "hybrid"}),
        HELD_OUT,
    ],
    metrics=metrics("judge", "sample_entropy"), n=256, batch=64)

SWEEP = Sweep(STUDY, arm="ssmd", objectives=("judge", "nfe_a"), trials=64, early=(64,),
              constraint=Band("sample_entropy", width=0.05), beside=("published",), space={
"window": Choice(Cosine(), Linear()), "window.cosine.delta": Range(0.004, 1.0, log=True),
"window.linear.delta": Range(1 / 128, 1.0, log=True),
"rounds": Range(1, 32, log=True), "order": Choice(Uniform())})


def claims(store: Store, command: str) -> list[dict]:
    return found.claims(store, command, SWEEP)
