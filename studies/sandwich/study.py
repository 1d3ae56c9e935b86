"""Is a sandwich of light and heavy steps better than nothing at all: than the heavy network in fewer steps, at equal
FLOPs?

arXiv 2604.02340 saves up to 17 % of the FLOPs "with a modest loss" by a light network in the first and last eighth of
the steps, and shows no run of equal cost. Here light is two blocks of six, so that a share of a quarter saves the very
16.7 % of the blocks. Design: ancestral sampling in 32 steps of the heavy network; the sandwich of 32; at its FLOPs, the
same share in the middle, the heavy network in fewer steps, and the heavy network by first-hitting with several tokens a
pass, which no grid of times discretises. A control of which no setting has the sandwich's cost is read between its two
neighbours. Rows share seeds. Claims: the judge's nats a token, sandwich minus each; below zero the sandwich is better.
Expected, written before the run: 0.01 to 0.03 nats worse than 32 heavy steps, 0.05 better than the middle, within 0.01
of fewer steps, and 0.01 worse than first-hitting. `ssmd-bench run studies/sandwich --compile --no-time --claims`:
about half an hour on one core.
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.scheduled import Scheduled
from harness.schedules.placement import Middle, Sandwich
from harness.study import Arm, Study, grid
from studies.arms import HELD_OUT
from studies.families import TEXT, metrics, nets
from studies.sandwich.claims import claims_of

__all__ = ["STUDY", "claims"]

HEAVY, BOTH = {"main": "heavy"}, {"main": "heavy", "light": "light"}
STUDY = Study(
    name="sandwich", question=__doc__, data=TEXT, nets=nets("heavy", "light"),
    reference="heavy",
    arms=[
        Arm("scheduled", [Scheduled(Ancestral(32), Sandwich(0.25))], BOTH),
        Arm("middle", [Scheduled(Ancestral(32), Middle(0.25))], BOTH),
        Arm("heavy", [Ancestral(32)], HEAVY), Arm("fewer_steps", grid(Ancestral, steps=[26, 28]), HEAVY),
        Arm("first_hitting", grid(FirstHitting, tokens=[5, 4]), HEAVY),
        HELD_OUT,
    ],
    metrics=metrics("judge", "ngram", "spelling", "sample_entropy"), n=1024, batch=64)
claims = claims_of("text")
