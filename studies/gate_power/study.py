"""Does the gate's time tier cry wolf, and does it sleep?

Design: comparisons of two runs of eight cells, their times simulated, each judged by the gate itself
(harness/checks/gate.py) under its default rules, Holm's correction included. A time is the cell's, times what its
process brings (where it lies in memory, what the machine did meanwhile: one part shared by the cells of a process, one
of each cell), times a drift of the machine from process to process, times what a repetition brings, one in twenty of
them held up by half. A/A: nothing differs. A/B: one cell of the eight takes 15 % longer. Over noise of processes,
thresholds and numbers of processes; the claims are of the default rule at three levels of noise, and at the one that
this machine showed in cells timed by this run. Expected: false alarms below 1 %, since a threshold above 1 leaves room;
power falls fast with noise, and is bought back by processes. `ssmd-bench run studies/gate_power --claims`: about
four minutes on one core.
"""

from dataclasses import replace

from harness.study import Timing, chosen
from studies.gate_power.claims import claims, measure
from studies.smoke.study import STUDY as SMOKE

__all__ = ["STUDY", "claims", "measure"]

STUDY = replace(chosen(SMOKE, ["ancestral", "ssmd"]), name="gate_power", question=__doc__,
                timing=Timing(processes=12, rows=64, repeats=3))
