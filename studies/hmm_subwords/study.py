"""Does what an oracle says of samplers hold at the vocabulary of subwords?

Design: that of studies/hmm_long with 4,096 subwords of English in the place of 27 characters, 1,024 places a row. The
chain goes through 64 classes (harness/data/class_chain.py), so that its exact network takes seconds and no table of
4,096 x 4,096 has to be raised to powers. Divergences of pairs are far above 0 here by chance alone, since most pairs
come once or never: read them beside held-out rows of the chain, of which there are as many. The likelihood less its
expectation has no such floor. Expected: the order of the samplers is that of characters, and faults are smaller, since
of its own entropy a subword tells its neighbour a smaller share.
`ssmd-bench run studies/hmm_subwords --no-time --claims`: half an hour on one core.
"""

from harness.data.class_chain import ClassChain
from harness.data.prose import Prose
from harness.metrics.chain import NllExcess, TransitionKl
from harness.metrics.entropy import SampleEntropy
from harness.plugins import find
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from harness.study import Arm, Study, Table, grid
from studies.arms import HELD_OUT, SHUFFLED
from studies.hmm_subwords.claims import claims

__all__ = ["STUDY", "claims"]

S, DATA, ORACLE = find("step"), ClassChain(Prose(length=1024)), {"main": "oracle"}
WINDOW = Linear(1 / 128)

STUDY = Study(
    name="hmm_subwords", question=__doc__, data=DATA, reference="oracle", nets={"oracle": Table(DATA)},
    arms=[
        Arm("ancestral", grid(S["ancestral"], steps=[64, 128, 256]), ORACLE),
        Arm("fixed_dilated", [S["fixed_count"](WINDOW, Dilated())], ORACLE),
        Arm("ssmd", [S["ssmd"](WINDOW, 10)], ORACLE),
        Arm("ssmd_dilated", [S["ssmd"](WINDOW, 10, order=Dilated())], ORACLE),
        Arm("first_hitting", [S["first_hitting"]()], ORACLE), HELD_OUT, SHUFFLED,
    ],
    metrics=[NllExcess(), TransitionKl(), TransitionKl(order=3), SampleEntropy()], n=128, batch=64)
