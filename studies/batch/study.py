"""What do stragglers cost? Passes that a device executes over passes that the rows need, by batch size, with and
without refilling the batch.

Design: the self-speculative sampler on the shipped hybrid, in a window that ten verify rounds nearly always finish (so
rows differ in their verify passes alone) and in a wide one with two rounds (so they differ in their draft passes too).
The passes of each row are watched once, and from them follows what a device with a fixed batch of 1, 4, 16, 64 or 256
places executes (studies/batch/fixed_batch.py), in NFE A, over runs of at least eight batches. With the queue the
place of a finished row goes to the next; without it a batch waits for its slowest row. The harness's own loop shrinks
its batch to the rows that want a pass: it executes what is needed, so its records say 1, and pays in small batches
instead. Expected: growth with the size, in the first window by a third and whether or not there is a queue, in the
second by a fifth or more without the queue and by half of that with it. About three minutes on one core at n = 512.
"""

from harness.metrics.words import Spelling
from harness.schedules.window import Cosine
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from studies.batch.claims import claims, measure
from studies.families import TEXT, nets

__all__ = ["STUDY", "claims", "measure"]

STUDY = Study(
    name="batch", question=__doc__, data=TEXT, nets=nets("hybrid", "heavy"),
    reference="heavy",
    arms=[Arm("ssmd", [SelfSpeculative(Cosine(0.083), 10), SelfSpeculative(Cosine(0.3), 2)], {"main": "hybrid"})],
    metrics=[Spelling()], n=512, batch=64)
