"""Do searched time grids save passes, and what does their search cost?

Design: ancestral sampling of the heavy network at 8, 16 and 32 steps on four grids: even steps in alpha (linear) and
the cosine, which nobody searches; the grid that loses least information by the profile of the network on validation
text (exact dynamic programme), and Jump Your Steps (arXiv 2410.07761). The information grid also as the window of the
self-speculative sampler, on the hybrid whose draft is the heavy network, beside linear windows of as many draft passes:
the same grid with another host. Grids were searched once on 64 rows of validation text, before anything was sampled:
`ssmd-bench grid studies/demo --net heavy --out studies/time_grids/grids.json`. Claims: the judge's nats on a searched
grid minus those on the linear one at 16 steps, paired; below zero the search helps. The note holds its cost in passes.
Expected: little, since linear was the best fixed schedule here (studies/schedule) and the profile is smooth: a gain of
0.01 to 0.03 nats at 8 and 16 steps, none at 32. `ssmd-bench run studies/time_grids --compile --no-time --claims`: about
25 minutes on one core at n = 512.
"""

from pathlib import Path

from baselines.ancestral import Ancestral
from harness.schedules.noise import Cosine, Knots, Linear
from harness.schedules.window import Linear as LinearWindow
from harness.schedules.window import Stairs
from harness.search.time_grid import read
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.families import METRICS, TEXT, nets
from studies.time_grids.claims import claims

__all__ = ["STUDY", "claims"]

GRIDS, STEPS, ROUNDS = read(Path(__file__).with_name("grids.json")), [8, 16, 32], 10


def searched(by: str) -> list[Ancestral]:
    return [Ancestral(steps, GRIDS[by, steps]) for steps in STEPS]


def stairs(schedule: Knots) -> Stairs:
    """The window whose draft passes end where the steps of the grid do."""
    return Stairs(schedule.alphas[1:])


STUDY = Study(
    name="time_grids", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("heavy", "hybrid_frozen"),
    arms=[
        Arm("linear", grid(Ancestral, steps=STEPS, schedule=[Linear()]), {"main": "heavy"}),
        Arm("cosine", grid(Ancestral, steps=STEPS, schedule=[Cosine()]), {"main": "heavy"}),
        Arm("information", searched("information"), {"main": "heavy"}),
        Arm("jump_your_steps", searched("jump_your_steps"), {"main": "heavy"}),
        Arm("ssmd_linear", [SelfSpeculative(LinearWindow(1 / steps), ROUNDS) for steps in (8, 16)],
            {"main": "hybrid_frozen"}),
        Arm("ssmd_information", [SelfSpeculative(stairs(GRIDS["information", steps]), ROUNDS) for steps in (8, 16)],
            {"main": "hybrid_frozen"}),
    ],
    metrics=METRICS, n=512, batch=64)
