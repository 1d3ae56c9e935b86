"""Is the gain of the best method in passes a gain in seconds on molecules? One character a pass from left to right
against the self-speculative sampler, timed in turns.

Design: that of studies/best_seconds on the networks of studies/moses_left, in the setting of
headline.ssmd.nfe_ratio.moses. Expected, written before the run: less in seconds than in passes, since rows of 58 are
short for what a pass costs beside its products. The data do not ship: docs/molecules.md says how they are built.
`ssmd-bench run studies/best_seconds_moses --claims`: about three minutes on one core that nothing else uses.
"""

from dataclasses import replace
from functools import partial

from baselines.first_hitting import FirstHitting
from harness.metrics.molecules.validity import Validity
from harness.schedules.window import Fixed
from harness.study import Arm
from ssmd.sampler import SelfSpeculative
from studies.analysis.seconds import seconds_ratio
from studies.arms import ROUNDS
from studies.best_seconds.study import STUDY as TEXT
from studies.moses_left.claims import BASELINE, ONE, SSMD
from studies.moses_left.family import DATA
from studies.moses_left.study import NETS, ORDER

__all__ = ["STUDY", "claims"]

STUDY = replace(
    TEXT, name="best_seconds_moses", question=__doc__, data=DATA,
    nets={name: NETS[name] for name in ("heavy", "hybrid_frozen")}, metrics=[Validity()],
    arms=[Arm(BASELINE, [FirstHitting(ONE, ORDER)], {"main": "heavy"}),
          Arm(SSMD, [SelfSpeculative(Fixed(2), ROUNDS, order=ORDER)], {"main": "hybrid_frozen"})])
claims = partial(seconds_ratio, "headline.best.seconds_ratio.moses", arm=SSMD, baseline=BASELINE)
