"""How much is left to win: which share of an oracle's tokens per pass does self-speculation reach?

Design: two ceilings on the shipped networks of text. Match: an oracle knows what sampling one token a pass would
write, and keeps of each draft, made with the same uniforms, the longest beginning along the order that agrees. So its
samples are those of the slow sampler, and no test of drafts drawn so could keep more of that row. Coupling: the
self-speculative sampler with an open window and one round, each draft followed by one verify pass: what its test keeps
when nothing cuts it short. Beside them the sampler in windows. Of two networks, the light one's drafts and the heavy
one's test, both ceilings are computed from their laws along the heavy network's rows (studies/ceilings/two.py).
Claims: tokens a pass of each ceiling, and the share of it that is reached.
`ssmd-bench run studies/ceilings --no-time --claims`: a quarter of an hour on one core.
"""

from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.light_heavy import LightHeavy
from harness.schedules.order import Dilated
from harness.schedules.window import Linear, Open
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from studies.ceilings.claims import claims, measure
from studies.families import TEXT, metrics, nets

__all__ = ["STUDY", "claims", "measure"]

HEAVY, HYBRID, BOTH = {"main": "heavy"}, {"main": "hybrid_frozen"}, {"main": "heavy", "light": "light"}
WINDOWS = [(Linear(0.1), 10), (Linear(0.25), 10)]

STUDY = Study(
    name="ceilings", question=__doc__, data=TEXT, reference="heavy", nets=nets("heavy", "hybrid_frozen", "light"),
    arms=[Arm("first_hitting", [FirstHitting()], HEAVY), Arm("any_order", [AnyOrder()], HYBRID),
          Arm("first_hitting_dilated", [FirstHitting(order=Dilated())], HEAVY),
          Arm("any_order_dilated", [AnyOrder(Dilated())], HYBRID),
          Arm("coupling", [SelfSpeculative(Open(), 1)], HYBRID),
          Arm("coupling_dilated", [SelfSpeculative(Open(), 1, Dilated())], HYBRID),
          Arm("ssmd", [SelfSpeculative(*window) for window in WINDOWS], HYBRID),
          Arm("light_heavy", [LightHeavy(4)], BOTH),
          Arm("ssmd_dilated", [SelfSpeculative(*window, Dilated()) for window in WINDOWS], HYBRID)],
    metrics=metrics("judge"), n=256, batch=64)
