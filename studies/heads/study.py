"""What does the test of self-speculation buy, when its head could write without one?

Design: the hybrid network of text in one window, four ways: with its test (ssmd); drawn one by one from the target
(sequential), which must have the same law; the drafts as they are; and one verify pass that redraws all but the first
draft at once, each having heard the drafts (jacobi), "the test switched off" at equal passes. Beside them the sampler
with a bonus token. Likelihood by the judge, with an entropy beside it. On a network that makes laws of no joint, small
enough to list: total variation between the rows of `sequential` and those of ssmd. Expected: none that can be told, and
jacobi between the drafts and the sampler.
`ssmd-bench run studies/heads --no-time --claims`: ten minutes on one core.
"""

from harness.schedules.window import Linear
from harness.study import Arm, Study
from ssmd.bonus import SelfSpeculativeBonus
from ssmd.sampler import SelfSpeculative
from ssmd.unverified import HEADS, Unverified
from studies.arms import HELD_OUT, SHUFFLED
from studies.families import TEXT, metrics, nets
from studies.heads.claims import claims, measure

__all__ = ["STUDY", "claims", "measure"]

WINDOW, HYBRID = Linear(0.1), {"main": "hybrid_frozen"}

STUDY = Study(
    name="heads", question=__doc__, data=TEXT, reference="heavy", nets=nets("heavy", "hybrid_frozen"),
    arms=[
        Arm("ssmd", [SelfSpeculative(WINDOW, 64)], HYBRID),
        Arm("ssmd_one_round", [SelfSpeculative(WINDOW, 1)], HYBRID),
        Arm("ssmd_bonus", [SelfSpeculativeBonus(WINDOW, 64)], HYBRID),
        *(Arm(head, [Unverified(WINDOW, head)], HYBRID) for head in HEADS),
        HELD_OUT, SHUFFLED,
    ],
    metrics=metrics("judge", "spelling", "sample_entropy"), n=512, batch=64, seed=21)
