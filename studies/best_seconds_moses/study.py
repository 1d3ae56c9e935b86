"""Is the gain of the best method in passes a gain in seconds on molecules? Ancestral sampling in 32 steps against the
self-speculative sampler from left to right, timed in turns.

Design: that of studies/best_seconds on the networks of studies/moses_frontier, with windows of three characters, the
setting of headline.best.nfe_ratio.moses.any_order. Expected, written before the run: 1.5 times fewer passes, and less
in seconds, since rows of 58 are short for what a pass costs beside its products. The data do not ship:
docs/molecules.md says how they are built. `ssmd-bench run studies/best_seconds_moses --claims`: about three minutes on
one core that nothing else
uses.
"""

from dataclasses import replace
from functools import partial

from harness.metrics.molecules.validity import Validity
from harness.schedules.order import LeftToRight
from harness.schedules.window import Linear
from ssmd.sampler import SelfSpeculative
from studies.analysis.seconds import seconds_ratio
from studies.arms import ROUNDS
from studies.best_seconds.study import STUDY as TEXT
from studies.families import trained
from studies.moses_frontier.claims import LEFT
from studies.moses_frontier.family import DATA, OUT

__all__ = ["STUDY", "claims"]

STUDY = replace(
    TEXT, name="best_seconds_moses", question=__doc__, data=DATA, nets=trained(OUT, "heavy", "hybrid_frozen"),
    metrics=[Validity()],
    arms=[TEXT.arms[0], replace(TEXT.arms[1], name=LEFT,
                                points=[SelfSpeculative(Linear(0.05), ROUNDS, order=LeftToRight())])])
claims = partial(seconds_ratio, "headline.best.seconds_ratio.moses.any_order", arm=LEFT)
