"""How does acceptance evolve with depth, progress and verify round, and is it what draft and target predict at the
states that the sampler meets?

Design: the shipped hybrid in one window, cosine(0.083), with 1, 2 and 10 verify rounds a draft pass. Its runs are taken
again, row by row the same, with a network that watches: at every verify pass it adds up 1 - TV(p, q) of the tracks,
weighted by the chance that they are tested, and the chances of each number of tokens revealed (ssmd/acceptance.py).
Beside the sampler's own states: one round from each of 8 stages of held-out text. Expected: predicted and counted agree
within their intervals over blocks of rows; acceptance falls with depth; own states and text differ little, if the
samples are like text. About eight minutes on one core at n = 256.
"""

from harness.metrics.words import Spelling
from harness.schedules.window import Cosine
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from studies.acceptance.claims import claims, measure
from studies.families import TEXT, nets

__all__ = ["STUDY", "claims", "measure"]

ROUNDS = (1, 2, 10)

STUDY = Study(
    name="acceptance", question=__doc__, data=TEXT, nets=nets("hybrid"), reference="hybrid",
    arms=[Arm("ssmd", [SelfSpeculative(Cosine(0.083), rounds) for rounds in ROUNDS], {"main": "hybrid"})],
    metrics=[Spelling()], n=256, batch=32)
