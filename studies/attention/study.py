"""Where does the causal block look when it judges a draft: at what is revealed, or at drafts that are not verified yet?

Design: the frozen hybrid that ships. Held-out text is revealed up to eight stages in a uniform order, the next 32 ranks
are drafted side by side, and the attention of the causal block is summed over tracks that carry BOS, a revealed token,
a drafted one, and a neighbour of the place to be predicted, by depth in the verify pass, beside the share of tracks in
each group. Question S11 of the reviewers of arXiv 2510.03929; that a target never sees the token it judges is a test
(tests/test_model.py). Rows are the units of intervals. Expected, written before the run: neighbours hold a third of the
attention or more, though a fiftieth of the tracks; drafted neighbours as much as revealed ones, since training showed
true tokens at both; the share of drafted tracks in attention grows with depth as their share of the tracks does.
`ssmd-bench run studies/attention --no-time --claims`: about a minute on one core.
"""

from harness.metrics.words import Spelling
from harness.study import Checkpoint, Study
from studies.arms import HELD_OUT
from studies.attention.claims import claims, measure
from studies.families import TEXT, checkpoint

__all__ = ["STUDY", "claims", "measure"]

STUDY = Study(
    name="attention", question=__doc__, data=TEXT,
    nets={"hybrid": Checkpoint(checkpoint("hybrid_frozen"))}, reference="hybrid",
    arms=[HELD_OUT], metrics=[Spelling()], n=256, batch=64)
