"""Molecules at the settings that studies/moses_frontier chose, on fresh rows: how many passes are saved at no loss of
validity, of FCD and of variety, and where would these networks stand in the published table?

Design: ancestral sampling in 32 steps and in a fourth of them; the self-speculative sampler from left to right in
windows of three characters, the surest of the cheapest there, and in a random order in a window of an eighth, which
takes fewer passes than a fourth of the steps. A setting counts if it is not worse on all three sides; margins:
studies/moses_frontier/claims.py. All columns of the benchmark's table are computed for the three rows that stand in it.
Its own rows have 30,000 molecules, and FCD falls with their number, so ours is the larger for that alone.
"""

from dataclasses import replace

from baselines.ancestral import Ancestral
from harness.schedules.order import LeftToRight
from harness.schedules.window import Linear
from harness.study import Arm, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import ARM, BASELINE, ROUNDS
from studies.moses_frontier.claims import LEFT
from studies.moses_frontier.study import STUDY as SEARCH
from studies.moses_headline.claims import claims, measure

__all__ = ["STUDY", "claims", "measure"]

HYBRID = {"main": "hybrid_frozen"}

STUDY = replace(
    SEARCH, name="moses_headline", question=__doc__, seed=2026, n=10000,
    arms=[Arm(BASELINE, grid(Ancestral, steps=[32, 8]), {"main": "heavy"}),
          Arm(ARM, [SelfSpeculative(Linear(0.125), ROUNDS)], HYBRID),
          Arm(LEFT, [SelfSpeculative(Linear(0.05), ROUNDS, order=LeftToRight())], HYBRID)])
