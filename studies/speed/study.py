"""What does sampling cost beyond its network passes, and what is each optimisation worth?

Design: a whole sampling loop (16 steps of ancestral sampling; linear windows of an eighth with ten verify rounds)
beside the passes that it made, played once more without it, at L = 256: with the shipped networks, with networks of
their shape over 50,257 tokens, and over as many tokens in the shape reported for OpenWebText (12 blocks, d = 768; 8
steps, one row). Each optimisation beside the plain path that it replaced: the queue; keys and values kept between
verify passes, with the last causal block only where logits are wanted; the head only where they are wanted; the window
gathered before the softmax. And ancestral sampling in 32 steps beside the self-speculative sampler at about its
quality: how much of the gain in passes becomes time? All in turns within a process, six processes of one thread one
after the other; a process is one unit of the interval. Expected: loops within 5 % of their passes with 28 symbols and
10 % with 50,258; kept keys worth a tenth of a run, the lazy head several times at 50,258; nine tenths of the gain in
passes. A pilot on busy cores has shown that the self-speculative loop misses its 10 % on the small network, where
drawing a token costs as much as the head. `ssmd-bench run studies/speed --no-time --claims`: about half an hour on
one core.
"""

from baselines.ancestral import Ancestral
from harness.metrics.words import Spelling
from harness.study import Arm, Study
from studies.families import TEXT, nets
from studies.speed.claims import claims, measure

__all__ = ["STUDY", "claims", "measure"]

STUDY = Study(
    name="speed", question=__doc__, data=TEXT, nets=nets("heavy"), reference="heavy",
    arms=[Arm("ancestral", [Ancestral(8)], {"main": "heavy"})], metrics=[Spelling()], n=16, batch=16)
