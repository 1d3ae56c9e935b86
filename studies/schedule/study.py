"""How do the noise schedule and the number of steps share the work of ancestral sampling? The whole grid, on the
shipped heavy network.

Design: linear, cosine and polynomial schedules, the last with exponents below and above one, each at 4 to 64 steps;
rows share seeds. No search and no claim: the report's heat map shows what `studies/noise_schedule` searches.
Expected: schedules that begin slowly are ahead at few steps, where the first tokens are written side by side with
nothing to go by; at 64 steps all are alike. `ssmd-bench run studies/schedule --compile --no-time --report DIR`:
about a quarter of an hour on one core.
"""

from baselines.ancestral import Ancestral
from harness.schedules.noise import Cosine, Linear, Polynomial
from harness.study import Arm, Study, grid
from studies.arms import HELD_OUT
from studies.families import METRICS, TEXT, nets

SCHEDULES = [Linear(), Cosine(), Polynomial(0.5), Polynomial(2.0), Polynomial(3.0)]

STUDY = Study(
    name="schedule", question=__doc__, data=TEXT, nets=nets("heavy"), reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, schedule=SCHEDULES, steps=[4, 8, 16, 32, 64]), {"main": "heavy"}),
        HELD_OUT,
    ],
    metrics=METRICS, n=128, batch=64)
