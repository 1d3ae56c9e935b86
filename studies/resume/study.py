"""Does a sweep survive kill -9? Ten sweeps by two workers each, and at a random moment one of the workers, or both, is
killed.

A kill is survived if, after the same command has been given once more: every record that stood before the kill stands
unchanged, no cell is counted and no metric scored twice, every trial is done, and the front is that of a sweep by one
worker that nobody killed. Points are drawn at random by slot, so that the front does not depend on which worker was
faster. Expected: all ten. `ssmd-bench sweep studies/resume --claims`: about four minutes.
"""

from dataclasses import replace

from studies.resume.claims import claims
from studies.sweep_smoke.study import STUDY as SMOKE
from studies.sweep_smoke.study import SWEEP as SMOKE_SWEEP

__all__ = ["STUDY", "SWEEP", "claims"]

KILLS = 10
KILLED = ((0,), (1,), (0, 1))    # of two workers, in turn

STUDY = replace(SMOKE, name="resume", question=__doc__)
SWEEP = replace(SMOKE_SWEEP, study=STUDY, search="random", early=(), trials=40)
