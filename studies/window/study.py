"""How do the shape and width of the window and the number N of verify rounds share the work? The whole grid, on the
shipped hybrid.

Design: cosine, linear and fixed windows from narrow to wide and the open one, each with N = 1, 2, 4 and 10; rows share
seeds. No search and no claim: the report's heat map shows what `studies/window_sweep` searches. Expected: wide
windows gain most from further rounds, narrow ones have nothing left to verify. `ssmd-bench run studies/window
--compile --no-time --report DIR`: about a quarter of an hour on one core.
"""

from harness.schedules.window import Cosine, Fixed, Linear, Open
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT
from studies.families import METRICS, TEXT, nets

WINDOWS = [*map(Cosine, (0.02, 0.04, 0.083, 0.16, 0.3)), *map(Linear, (0.0625, 0.125, 0.25)), Fixed(8), Fixed(16),
           Open()]

STUDY = Study(
    name="window", question=__doc__, data=TEXT, nets=nets("hybrid", "heavy"),
    reference="heavy",
    arms=[
        Arm("ssmd", grid(SelfSpeculative, window=WINDOWS, rounds=[1, 2, 4, 10]), {"main": "hybrid"}),
        HELD_OUT,
    ],
    metrics=METRICS, n=128, batch=64)
