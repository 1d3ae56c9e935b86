"""Standard, scheduled and self-speculative masked diffusion side by side on real text, with the networks that ship.
`make demo`.

The self-speculative arm is one causal block on the frozen blocks of the ancestral arm's own network, so that both draft
alike. Expected: at equal quality under the judge it needs fewer passes than ancestral sampling, and the scheduled arm
costs about a sixth less than ancestral at the same number of steps, at slightly lower quality. About three minutes on
two cores.
"""

from baselines.ancestral import Ancestral
from baselines.scheduled import Scheduled
from harness.schedules.placement import Sandwich
from harness.schedules.window import Linear
from harness.study import Arm, Study, Timing, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT, SHUFFLED
from studies.families import METRICS, TEXT, nets

STEPS = [6, 12, 24, 40]

STUDY = Study(
    name="demo", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("hybrid", "hybrid_frozen", "heavy", "light"),
    arms=[
        Arm("ancestral", grid(Ancestral, steps=STEPS), {"main": "heavy"}),
        Arm("scheduled", [Scheduled(Ancestral(steps), Sandwich(0.25)) for steps in STEPS],
            {"main": "heavy", "light": "light"}),
        Arm("ssmd", [SelfSpeculative(Linear(delta), 10) for delta in (0.25, 0.125, 0.0625, 0.04)],
            {"main": "hybrid_frozen"}),
        HELD_OUT, SHUFFLED,
    ],
    metrics=METRICS, n=64, batch=32, timing=Timing(processes=3, rows=4, repeats=1))
