"""Is a network of molecules better off where their lengths are drawn first and the ENDs given?

Design: `ends_given` saw the ENDs in all its training, `ends_written` (studies/moses_ends_written, whose records are
read) never did; 6 M places each, in as many updates of the same molecules. So the first was asked for fewer tokens, the
characters alone. Both write one character a pass in a random order. Expected: the given lengths win, since a part of
what the other writes has ENDs inside.
"""

from baselines.first_hitting import FirstHitting
from harness.metrics.molecules.fcd import Fcd
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty
from harness.study import Arm, Study
from studies.families import trained
from studies.moses_ends_given.claims import claims
from studies.moses_ends_given.family import DATA, FAMILY, OUT

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

STUDY = Study(
    name="moses_ends_given", question=__doc__, data=DATA, reference="ends_given", nets=trained(OUT, "ends_given"),
    arms=[Arm("given", [FirstHitting()], {"main": "ends_given"})],
    metrics=[Validity(), Fcd(split="test"), Novelty()], n=1024, batch=128)
