"""Does a contest find 12 % on a busy machine, and does it cry wolf? Slow-downs planted in a copy of the sources, each
contest against a copy without one.

Design: `ssmd-bench contest` itself, with its defaults, on two cells of shipped networks, one row each. The slower copy
does real work again: its sampling loop repeats steps, on bare networks, whenever 12 % of the CPU time that steps took
is owed, so that samples and counts stay as they are; what was really planted is read from that copy's own clock. Two
processes keep both cores half busy, unless others do so already: each works and rests in turns of 20 ms to a second,
half of the time. Contests of a slower copy and of two equal ones alternate. False alarms are counted twice: of the
contests of equal copies that were run, and of contests made of their pairs of processes, drawn with replacement, OLD
and NEW exchanged at random, judged as a contest judges them, looks included.

Expected: nearly every slow-down found, most of them at the first two looks; false alarms far below the 1 % that the
looks are planned for, since the threshold is 3 %. `ssmd-bench run studies/busy_gate --claims`: up to five minutes a
contest, two hours in all. What is broken off goes on with the next contest.
"""

from baselines.ancestral import Ancestral
from harness.schedules.window import Cosine
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from studies.busy_gate.claims import claims, measure
from studies.families import TEXT, nets

__all__ = ["STUDY", "claims", "measure"]

STUDY = Study(
    name="busy_gate",
    question=__doc__,
    data=TEXT,
    nets=nets("heavy", "hybrid"),
    reference="heavy",
    metrics=[],
    n=8,
    batch=8,
    arms=[
        Arm("ancestral", [Ancestral(12)], {"main": "heavy"}),
        Arm("ssmd", [SelfSpeculative(Cosine(0.2), 2)], {"main": "hybrid"}),
    ],
)
