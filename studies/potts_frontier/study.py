"""Does the gain carry over to a domain that is no language? Lattices of a Potts model near its critical point, whose
law is known exactly.

Design: 8 x 16 sites of 3 values with free edges, coupling 1.0 (the infinite lattice is critical at 1.005), read line by
line, so that neighbours above are eight tokens away and domains have all sizes. Ancestral sampling of the heavy network
against the hybrid of one causal block on that network, frozen, in linear windows from wide to narrow; a sandwich of
light and heavy steps against the same share in the middle and against fewer heavy steps; the window unverified;
held-out and shuffled lattices. Rows share seeds; NFE by convention A. The judge of the claims is the law itself: -ln p
of each row, whose mean over true rows is their entropy, so that no judge can be wrong, and none is trained; entropies
stand beside it. Claims: the ratio of passes at the quality that ancestral sampling reaches at 24, 32 and 64 steps; no
setting of the sampler is much worse than 32 of them, and where the cheapest is better its cost stands, so that the
ratio is at least the value. Expected: a ratio above 1 and below that of text, since bonds are local: far sites revealed
in one pass hardly depend on one another. The same windows in a dilated order (.dilated, added later): less than on text
or nothing, since places of even distance come together, and the sites above and below are eight places away.
`ssmd-bench run studies/potts_frontier --compile --no-time --claims`: about two hours on one core at n = 2,048. The
family: `ssmd-bench train family --recipe studies/potts_frontier --compile --out runs/potts_family`.
"""

from harness.data.potts import Potts
from harness.metrics.entropy import CorpusEntropy, SampleEntropy
from harness.metrics.exact_nll import ExactNll
from harness.schedules.window import Linear, Open
from harness.study import Study
from studies.analysis.domain import claims_of
from studies.arms import WINDOWS, arms
from studies.families import MEMBERS, family, nets

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

DATA, FAMILY = Potts(), {name: member for name, member in family(tokens=8e6).items() if name != "judge"}
# added when 0.125 was found to be better than 32 ancestral steps already, the open one when 0.5 was as good as they
WIDER = [Open(), Linear(0.5), Linear(0.25)]
STUDY = Study(
    name="potts_frontier", question=__doc__, data=DATA, reference="heavy", nets=nets(*MEMBERS, of="potts"),
    arms=arms([*WIDER, *WINDOWS]),
    metrics=[ExactNll(), SampleEntropy(), CorpusEntropy()], n=2048, batch=64)
claims = claims_of("third", "exact_nll", "nats per token under the law, paired")
