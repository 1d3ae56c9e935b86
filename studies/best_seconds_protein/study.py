"""Is the gain of the best method in passes a gain in seconds on proteins? Ancestral sampling in 32 steps against the
self-speculative sampler in a dilated order, timed in turns.

Design: that of studies/best_seconds on the networks of studies/protein_frontier, with a linear window of a
quarter, whose samples are better than those of 32 steps by the judge. Expected, written before the run: 5.7 times fewer
passes, and somewhat less in seconds, since a wide window is padded to the widest of its batch. The data do not ship:
docs/proteins.md says how they are built. `ssmd-bench run studies/best_seconds_protein --claims`: about three minutes
on one core that nothing else uses.
"""

from dataclasses import replace
from functools import partial

from harness.metrics.proteins.residue_grams import Composition
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from ssmd.sampler import SelfSpeculative
from studies.analysis.seconds import seconds_ratio
from studies.best_seconds.study import STUDY as TEXT
from studies.families import MEMBERS, nets
from studies.protein_frontier.study import DATA

__all__ = ["STUDY", "claims"]

STUDY = replace(
    TEXT, name="best_seconds_protein", question=__doc__, data=DATA, nets=nets(*MEMBERS, of="protein"),
    metrics=[Composition()],
    arms=[TEXT.arms[0], replace(TEXT.arms[1], points=[SelfSpeculative(Linear(0.25), 10, order=Dilated())])])
claims = partial(seconds_ratio, "headline.best.seconds_ratio.protein")
