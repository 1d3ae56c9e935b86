"""Does it help to train the causal block on the exact likelihood of the sampler that uses it, instead of on the usual
loss?

Design: the frozen hybrid that ships, on rows of 16 characters, short enough for the likelihood's D passes a row (arXiv
2510.03929, its section on likelihood). From there the causal block is trained further twice, with the same rows,
orders, passes and updates: by the second term of the usual loss, and by -log p(x | sigma) of the basic sampler (no
window, one verify round), differentiated through its recursion. Three seeds of batches. Read on held-out rows: the
likelihood under the sampler's own law, of one round and of ten, and the passes that the sampler takes. Question S8 of
the reviewers of arXiv 2510.03929. Rows are the units of intervals, seeds are shown beside. Expected, written before the
run: the bound gains 0.005 to 0.02 nats a token for one round and nothing for ten, where q alone decides more; passes
fall a little, since an accepted draft is a path that needs no redraw; what both gain over the start, which has seen
rows of 128 only, is larger than what lies between them. `ssmd-bench run studies/exact_bound --no-time --claims`:
about twenty minutes on one core.
"""

from dataclasses import replace

from harness.metrics.words import Spelling
from harness.study import Checkpoint, Study
from studies.arms import HELD_OUT
from studies.exact_bound.claims import claims, measure
from studies.families import TEXT, checkpoint, nets

__all__ = ["STUDY", "claims", "measure"]

STUDY = Study(
    name="exact_bound", question=__doc__, data=replace(TEXT, length=16),
    nets=nets("heavy") | {"hybrid": Checkpoint(checkpoint("hybrid_frozen"))}, reference="heavy",
    arms=[HELD_OUT], metrics=[Spelling()], n=512, batch=64)
