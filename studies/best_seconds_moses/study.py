"""Is the gain of the best method in passes a gain in seconds on molecules? One character a pass from left to right
against the self-speculative sampler of the same network, which verifies itself, timed in turns.

Design: that of studies/best_seconds on the heavy network of studies/moses_left, in windows of eight with a bonus, the
setting of headline.best.nfe_ratio.moses. Expected, written before the run: half of the passes, and nearly half of the
seconds, since every pass is a whole one on both sides. The data do not ship: docs/molecules.md says how they are built.
`ssmd-bench run studies/best_seconds_moses --claims`: about three minutes on one core that nothing else uses.
"""

from dataclasses import replace
from functools import partial

from harness.metrics.molecules.validity import Validity
from studies.analysis.seconds import seconds_ratio
from studies.best_seconds.study import STUDY as TEXT
from studies.moses_left.claims import BASELINE, ITSELF
from studies.moses_left.family import DATA
from studies.moses_left.study import STUDY as SEARCH
from studies.moses_left.study import arms

__all__ = ["STUDY", "claims"]

STUDY = replace(
    TEXT, name="best_seconds_moses", question=__doc__, data=DATA,
    nets={name: SEARCH.nets[name] for name in ("heavy", "itself")}, metrics=[Validity()],
    arms=[arm for arm in arms("", windows=(), tokens=(1,)) if arm.points])
claims = partial(seconds_ratio, "headline.best.seconds_ratio.moses", arm=ITSELF, baseline=BASELINE)
