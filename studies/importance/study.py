"""Where in a text does a light network cost the most, and which placements should therefore lose the least?

Design: KL(heavy || light) and loss gap per masked token over the share of text revealed, in 16 pieces, on held-out text
and on the states that ancestral sampling of the heavy network meets in 32 steps: the centre of a piece is the start of
one of its steps. Placements of 25 % light text are then ranked by the additive bound on the sampler's own states
(studies/analysis/additive_bound.py), among them all 28 choices of 2 of 8 segments. Expected, from arXiv 2604.02340:
both curves highest in the middle, so that the sandwich should lose less than the middle. About seven minutes on one
core at n = 512.
"""

from baselines.ancestral import Ancestral
from harness.metrics.words import Spelling
from harness.study import Arm, Study
from studies.arms import HELD_OUT
from studies.families import TEXT, nets
from studies.importance.claims import PIECES, claims, measure

__all__ = ["STUDY", "claims", "measure"]

STEPS = 2 * PIECES    # so that the centre of a piece is the start of a step

STUDY = Study(
    name="importance", question=__doc__, data=TEXT, nets=nets("heavy", "light"),
    reference="heavy",
    arms=[Arm("ancestral", [Ancestral(STEPS)], {"main": "heavy"}), HELD_OUT],
    metrics=[Spelling()], n=512, batch=64)
