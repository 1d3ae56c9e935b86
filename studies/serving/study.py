"""What does the queue serve under load: tokens a second at a stated number of places, and how long does a request wait?

Design: the self-speculative sampler at its matched setting (studies/speed) on the shipped network, rows of 128 tokens
in blocks of 16 from left to right, so that a reader can begin with the first. Requests enter a batch of 1, 8 or 32
places as rows enter that of the sampling loop. First all requests are there at once, which gives tokens a second; then
they arrive by a clock, with exponential gaps that the seed decides, at four fifths of the rate that was served before:
seconds from arrival to the first block and to the end, as percentiles. What a request gets must not hang on when it
came, so rows of both loads are compared. Five processes one after the other, each one unit of an interval. Expected:
tokens a second grow with the places while a pass is bound by launches or by weights, more slowly on a CPU than on a
GPU; time to the first block is a fraction of that to the end; rows are alike. `ssmd-bench run studies/serving
--no-time --claims`: about 10 minutes on one core of an idle machine.
"""

from baselines.ancestral import Ancestral
from harness.metrics.words import Spelling
from harness.study import Arm, Study
from studies.families import TEXT, nets
from studies.serving.claims import claims, measure

__all__ = ["STUDY", "claims", "measure"]

STUDY = Study(
    name="serving", question=__doc__, data=TEXT, nets=nets("heavy"), reference="heavy",
    arms=[Arm("ancestral", [Ancestral(8)], {"main": "heavy"})], metrics=[Spelling()], n=16, batch=16)
