"""Are light steps at the beginning alone better than a sandwich, and better than fewer heavy steps?

studies/model_scheduling looked better with light steps at the beginning than with a sandwich, in 16 steps; that was
noticed after the fact, and the equal-cost control was not asked of it. Design: studies/sandwich, 32 steps, from
other seeds of draws, with the light quarter at the beginning of each text; the published sandwich of the same share
takes the place of the middle. Claims: the judge's nats a token, light steps at the beginning minus each; below zero
they are better. Expected, written before the run: better than the sandwich by 0.01 to 0.03 nats, within 0.02 of fewer
heavy steps, and worse than first-hitting. `ssmd-bench run studies/prefix --compile --no-time --claims`: about half
an hour on one core.
"""

from dataclasses import replace

from baselines.ancestral import Ancestral
from baselines.scheduled import Scheduled
from harness.schedules.placement import Prefix
from harness.study import Arm
from studies.sandwich.claims import claims_of
from studies.sandwich.study import BOTH
from studies.sandwich.study import STUDY as SANDWICH

__all__ = ["STUDY", "claims"]

OTHERS = {arm.name: arm for arm in SANDWICH.arms if arm.name != "middle"}
STUDY = replace(SANDWICH, name="prefix", question=__doc__, seed=31, arms=[
    Arm("scheduled", [Scheduled(Ancestral(32), Prefix(0.25))], BOTH), replace(OTHERS.pop("scheduled"), name="sandwich"),
    *OTHERS.values()])
claims = claims_of("text", "prefix", ("sandwich", "fewer_steps", "first_hitting"))
