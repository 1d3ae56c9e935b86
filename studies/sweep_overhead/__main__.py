"""What does a sweep of 1,000 trials cost beside its samples?

Design: 1,000 random trials of ancestral sampling on an enumerable law, two objectives, a first look at 4 of 16 rows,
one worker, each sweep in a process of its own. Counted are the processor seconds of the worker, without those of
sampling and of Optuna's own asking and telling. A sweep of 250 trials stands beside it: where the work of the harness
is linear in the trials, 1,000 take four times as long.

Expected: linear. A worker that opened the records anew at each look, and read those of all trials, was quadratic.

Claim sweep.overhead_1000_trials, the mean of three sweeps.

    python -m studies.sweep_overhead        about five minutes
"""

import sys

from harness.boundary.ending import guarded
from studies.sweep_overhead.claims import main

if __name__ == "__main__":
    sys.exit(guarded("studies.sweep_overhead", main))
