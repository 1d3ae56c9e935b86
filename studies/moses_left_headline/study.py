"""Molecules at the settings that studies/moses_left chose, on 10,000 fresh rows: how many passes are saved at no loss
of validity, of FCD and of variety, and where would these networks stand in the published table?

Design: one character a pass, which is the quality to match, and four; the self-speculative sampler in the windows that
seemed no worse on the rows of studies/moses_left, and in the one that takes about a fourth of the passes. A setting
counts if it is not worse on all three sides; margins: studies/moses_left/claims.py. All columns of the benchmark's
table are computed for the rows that stand in it. Its own rows have 30,000 molecules, and FCD falls with their number,
so ours is the larger for that alone.
"""

from dataclasses import replace

from baselines.first_hitting import FirstHitting
from harness.schedules.window import Fixed
from harness.study import Arm, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import ROUNDS
from studies.moses_left.study import ORDER
from studies.moses_left.study import STUDY as SEARCH
from studies.moses_left_headline.claims import BASELINE, ONE, QUARTER, SSMD, claims, measure

__all__ = ["STUDY", "claims", "measure"]

STUDY = replace(
    SEARCH, name="moses_left_headline", question=__doc__, seed=2026, n=10000,
    arms=[Arm(BASELINE, grid(FirstHitting, tokens=[ONE, QUARTER], order=[ORDER]), {"main": "heavy"}),
          Arm(SSMD, [SelfSpeculative(Fixed(width), ROUNDS, order=ORDER) for width in (2, 3, 8)],
              {"main": "hybrid_frozen"})])
