"""Can one see where a light network costs least before a single text is sampled? All 28 placements of 2 light segments
out of 8, predicted and measured.

Design: the shipped heavy and light networks, ancestral sampling in 16 steps (two a segment), rows paired. Measured
loss: the judge's nats a token beyond those of the heavy network throughout. Predicted loss: the additive bound
(studies/analysis/additive_bound.py) from KL(heavy || light) at the start of each step, on masked validation text that
no sample comes from, and on states of the heavy sampler; rows are resampled jointly. The 28 placements are the whole
design, no sample of placements: intervals are of the rows. Controls: the heavy network in fewer steps, around the cost
of a placement (13.3 passes), light alone at that cost, networks swapped, the sandwich at other shares f. Expected, from
arXiv 2604.02340: the middle costs most, the ranks agree (rho above .5), the sandwich is among the best; whether it
beats fewer heavy steps is not known. `ssmd-bench run studies/model_scheduling --jobs 2 --claims`: about 25 minutes
on two cores.
"""

from baselines.ancestral import Ancestral
from baselines.scheduled import Scheduled
from harness.data.control import HeldOut
from harness.schedules.placement import Sandwich, Segments
from harness.study import Arm, Study, grid
from studies.families import TEXT, metrics, nets
from studies.model_scheduling.claims import CHOSEN, PIECES, STEPS, claims, measure

__all__ = ["STUDY", "claims", "measure"]

BOTH = {"main": "heavy", "light": "light"}

STUDY = Study(
    name="model_scheduling", question=__doc__, data=TEXT, nets=nets("heavy", "light"),
    reference="heavy",
    arms=[
        Arm("heavy", [Ancestral(STEPS)], {"main": "heavy"}),
        Arm("placed", [Scheduled(Ancestral(STEPS), Segments(chosen, PIECES)) for chosen in CHOSEN], BOTH),
        Arm("fewer_heavy", grid(Ancestral, steps=[8, 12, 13, 14]), {"main": "heavy"}),
        Arm("light", grid(Ancestral, steps=[STEPS, 40]), {"main": "light"}),
        Arm("share", [Scheduled(Ancestral(STEPS), Sandwich(f)) for f in (0.125, 0.5, 0.75)], BOTH),
        Arm("swapped", [Scheduled(Ancestral(STEPS), Sandwich(0.25))], {"main": "light", "light": "heavy"}),
        Arm("held_out", [HeldOut("validation")]),
    ],
    metrics=metrics("judge", "spelling", "sample_entropy"), n=512, batch=64)
