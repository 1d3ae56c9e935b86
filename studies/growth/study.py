"""How do seconds, FLOPs and memory grow with the length of a text, the vocabulary, the batch and the rows - and does
anything grow faster than the network itself?

Design: standard sampling in 16 steps on a masked transformer, and self-speculative sampling in a linear window on a
hybrid, both with three blocks of width 64 and random weights: what they write is of no interest. Around L = 128, V = 27
and 16 rows in a batch of 16, one size at a time: L from 64 to 1,024, V from 27 to 50,257 (50,258 with MASK), the batch
with as many rows from 4 to 64, the rows through a batch of 16 from 16 to 256. Every point has a process of its own, one
thread: one untimed run for its peak memory, one under the meter whose calls of the network are kept, then by turns two
runs of the whole loop and two of the kept calls alone, of which the shorter counts. Exponents are slopes of logarithms
over all points of an axis; that of loop over passes says whether the loop outgrows the network it calls. Expected:
FLOPs between L and L squared, linear in rows and batch, from 0 to 1 in V, and seconds no steeper, but for V: draws from
50,257 weights in float64 cost more than a head of width 64. The one cell of the run is there to rest the tables on.
`ssmd-bench run studies/growth --no-time --claims`: about a quarter of an hour on one core. Other work on the machine
blurs seconds and ratios.
"""

from baselines.ancestral import Ancestral
from harness.metrics.words import Spelling
from harness.study import Arm, Study
from studies.families import TEXT, nets
from studies.growth.claims import claims, measure

__all__ = ["STUDY", "claims", "measure"]

STUDY = Study(
    name="growth", question=__doc__, data=TEXT, nets=nets("light"), reference="light",
    arms=[Arm("ancestral", [Ancestral(6)], {"main": "light"})], metrics=[Spelling()], n=16, batch=16)
