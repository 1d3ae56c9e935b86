"""Does what an oracle says of samplers hold at a thousand places?

Design: that of studies/hmm, a chain of characters fitted to text and its exact network, so that every fault is the
sampler's, at rows of 1,024 places in the place of 128: ancestral sampling and self-speculation at the same tokens a
pass, ordering by confidence, and one token a pass. The divergence of pairs and triples of neighbours, where rows of the
chain itself are the floor, and the likelihood less its expectation. Expected: the divergence of a sampler depends on
its tokens a pass alone, since a chain forgets; longer rows give a lower floor for as many rows.
`ssmd-bench run studies/hmm_long --no-time --claims`: ten minutes on one core.
"""

from harness.data.bigram import Bigram
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.chain import NllExcess, TransitionKl
from harness.metrics.entropy import SampleEntropy
from harness.plugins import find
from harness.schedules.certainty import Confidence
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from harness.study import Arm, Study, Table, grid
from studies.arms import HELD_OUT, SHUFFLED
from studies.hmm_long.claims import claims

__all__ = ["STUDY", "claims"]

S, DATA, ORACLE = find("step"), Bigram(WikipediaLeads(length=1024)), {"main": "oracle"}
WINDOW = Linear(1 / 128)

STUDY = Study(
    name="hmm_long", question=__doc__, data=DATA, reference="oracle", nets={"oracle": Table(DATA)},
    arms=[
        Arm("ancestral", grid(S["ancestral"], steps=[64, 128, 256]), ORACLE),
        Arm("confidence", grid(S["ordered"], steps=[128], by=[Confidence()]), ORACLE),
        Arm("fixed_dilated", [S["fixed_count"](WINDOW, Dilated())], ORACLE),
        Arm("ssmd", [S["ssmd"](WINDOW, 10)], ORACLE),
        Arm("ssmd_dilated", [S["ssmd"](WINDOW, 10, order=Dilated())], ORACLE),
        Arm("first_hitting", [S["first_hitting"]()], ORACLE), HELD_OUT, SHUFFLED,
    ],
    metrics=[NllExcess(), TransitionKl(), TransitionKl(order=3), SampleEntropy()], n=256, batch=64)
