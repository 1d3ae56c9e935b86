"""Does the gate see what it is there for? Faults planted in a copy of the sources, each run beside the unharmed code
and judged by the gate itself.

Design: copies of the packages, each with one fault (studies/planted/claims.py lists them), sample the cells of STUDY
and of WIDE under three seeds; BASE is this code, and a copy without a fault stands among the others. A fault is caught
if the exit code is not 0 under the default rules; the float32 draw, which changes a token in 300 of 50,257 symbols and
none of 27, under samples = "always". The 10 % sleep is left to the time tier: ten comparisons of a copy that sleeps
with one that does not. False alarms of the same tier: 25 blocks in which one code is timed on both sides, each block
judged in both directions, so that 50 comparisons cost 400 processes; at most one of the two directions can raise an
alarm, so that the binomial interval is too wide rather than too narrow. A side is eight fresh processes, the two in
turns. Expected: every visible fault caught under every seed, and nothing in the copy without one; 10 % of a draft pass
is less of a sample's time, and caught more often than not; at most one false alarm in fifty. `ssmd-bench run
studies/planted`: some ten minutes on one core for the faults. With --claims also the times, 560 processes of four to
seven seconds, 400 of them for the false alarms: an hour on one core of a machine that must do nothing else. A run that
is broken off goes on at its block.
"""

from baselines.ancestral import Ancestral
from harness.data.zipf import Zipf
from harness.nets.iid import Known
from harness.schedules.window import Cosine, Linear
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from studies.families import TEXT, metrics, nets
from studies.planted.claims import claims, measure

__all__ = ["STUDY", "WIDE", "claims", "measure"]

LARGE = Zipf(length=64)

STUDY = Study(
    name="planted", question=__doc__, data=TEXT, nets=nets("heavy", "hybrid"), reference="heavy", n=32, batch=16,
    metrics=metrics("judge", "spelling"),
    arms=[
        Arm("ancestral", [Ancestral(12)], {"main": "heavy"}),
        Arm("ssmd", [SelfSpeculative(Linear(0.125), 4), SelfSpeculative(Cosine(0.2), 2)], {"main": "hybrid"}),
    ])
WIDE = Study(    # 50,257 symbols, where float32 is too coarse
    name="planted_wide", question=__doc__, data=LARGE, nets={"law": Known(LARGE)}, reference="law",
    arms=[Arm("large_alphabet", [Ancestral(32)], {"main": "law"})],
    metrics=[], n=128, batch=4)
