"""How many passes does self-speculative masked diffusion save at equal quality on proteins, by the paper's protein recipe: one causal block on a frozen network?

Design: ancestral sampling of the heavy network against the hybrid whose draft is that network bit for bit, in linear windows from wide to narrow; a light network that shares
the steps with the heavy one, against the same share in the middle and against fewer heavy steps; the window unverified; held-out and shuffled proteins. Crops of 128 residues of
Swiss-Prot clustered at 50 % identity, held-out ones without a relative in training (docs/proteins.md). Rows share seeds. NFE by convention A: blocks over the six of the heavy
network. Claims: the ratio of passes at the quality, under an autoregressive judge trained on clusters of its own, that ancestral sampling reaches at 24, 32 and 64 steps.
Likelihood alone can be bought with repeats: composition, words of three, identity to training, clusters and family profiles stand beside it, each with its held-out and
shuffled level. Expected: ratios near 2, as on text.
The data do not ship: docs/proteins.md says how they are built. `run ... --compile --no-time --claims`: about two hours on one core at n = 2,048.
The family: `ssmd-bench train family --recipe studies/protein_frontier.py --compile --out runs/protein_family`.
"""

from harness.data.proteins import Proteins
from harness.metrics.entropy import SampleEntropy
from harness.metrics.families import FamilyBits, FamilyHits
from harness.metrics.judge import Judge
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.novelty import Clusters, NearestIdentity
from harness.metrics.residue_grams import Composition, KmerDistance
from harness.study import Study
from studies.found.domain import arms, checkpoint, claims_of, family, nets

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

DATA, FAMILY = Proteins(length=128), family(tokens=12e6)
STUDY = Study(
    name="protein_frontier", question=__doc__, data=DATA, reference="heavy", nets=nets("protein"), arms=arms(),
    metrics=[Judge(checkpoint("protein", "judge")), NgramJudge(order=3), SampleEntropy(), Composition(), KmerDistance(), NearestIdentity(), Clusters(), FamilyHits(), FamilyBits()],
    n=2048, batch=64)
claims = claims_of("protein")
