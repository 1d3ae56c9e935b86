"""Is a masked network that is trained for one order of writing better at it than one that was trained for all?

Design: `heavy_ordered` goes on from the heavy network of studies/moses_frontier for 8 M places in which what is not
masked is the beginning of a molecule. Both write one character a pass from left to right. The judge, which reads from
left to right, writes nine valid rows of ten (studies/moses_ends_written). Expected: better by far, since the judge is.
Against it: an update asks for one next character a row and many farther ones, and the judge's asks for all next ones.
"""

from baselines.first_hitting import FirstHitting
from harness.metrics.molecules.fcd import Fcd
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty
from harness.schedules.order import LeftToRight
from harness.study import Arm, Study
from studies.families import trained
from studies.moses_frontier.family import OUT as FRONTIER
from studies.moses_ordered.claims import claims
from studies.moses_ordered.family import DATA, FAMILY, OUT

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

STUDY = Study(
    name="moses_ordered", question=__doc__, data=DATA, reference="heavy",
    nets=trained(OUT, "heavy_ordered") | trained(FRONTIER, "heavy"),
    arms=[Arm("ordered", [FirstHitting(order=LeftToRight())], {"main": "heavy_ordered"}),
          Arm("any_order", [FirstHitting(order=LeftToRight())], {"main": "heavy"})],
    metrics=[Validity(), Fcd(split="test"), Novelty()], n=1024, batch=128)
