"""How many passes does self-speculative masked diffusion save at equal quality on proteins, by the paper's protein
recipe: one causal block on a frozen network?

Design: ancestral sampling of the heavy network against the hybrid whose draft is that network bit for bit, in linear
windows from wide to narrow; a light network that shares the steps with the heavy one, against the same share in the
middle and against fewer heavy steps; the window unverified; held-out and shuffled proteins. Crops of 128 residues of
Swiss-Prot clustered at 50 % identity, held-out ones without a relative in training (docs/proteins.md). Rows share
seeds. NFE by convention A: blocks over the six of the heavy network. Claims: the ratio of passes at the quality, under
an autoregressive judge of clusters of its own, that ancestral sampling reaches at 8 and 32 steps; and how many held-out
rows have a near relative in training (proteins.leak.*). An n-gram judge of the same clusters stands beside it (.ngram).
Likelihood alone can be bought with repeats: composition, words of three, identity to training, clusters and family
profiles stand beside it, each with its held-out and shuffled level. Expected at first: ratios near 2, as on text. A
pilot (512 rows of another seed, the n-gram judge) then showed that one step and sixteen lie 0.006 nats a residue apart,
a fifth of what lies between one step and real proteins, so that few steps and the widest windows were added: a network
of this size writes little that depends on several residues at once. In a dilated order (added later;
harness/schedules/order.py): a smaller gain than on text, since what binds residues need not be near. The data do not
ship: docs/proteins.md says how they are built. `run ... --compile --no-time --claims`: about an hour and a half on one
core at n = 2,048. The family: `ssmd-bench train family --recipe studies/protein_frontier --compile --out
runs/protein_family`.
"""

from harness.data.control import HeldOut
from harness.data.proteins import Proteins
from harness.metrics.entropy import SampleEntropy
from harness.metrics.judge import Judge
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.proteins.families import FamilyBits, FamilyHits
from harness.metrics.proteins.novelty import Clusters, NearestIdentity
from harness.metrics.proteins.residue_grams import Composition, KmerDistance
from harness.records.store import Store
from harness.schedules.window import Linear, Open
from harness.study import Arm, Study
from studies.analysis.domain import claims_of
from studies.analysis.matched import headlines, ratio
from studies.arms import ARM, DILATED, arms
from studies.families import MEMBERS, checkpoint, family, nets
from studies.protein_frontier.proteins import leaks

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

MARGIN = 0.003    # nats a residue, a quarter of what ancestral sampling gains from 8 to 32 steps
DATA, FAMILY = Proteins(length=128), family(tokens=12e6)
STUDY = Study(
    name="protein_frontier", question=__doc__, data=DATA, reference="heavy", nets=nets(*MEMBERS, of="protein"),
    arms=[*arms([Open(), Linear(0.5), Linear(0.25), Linear(0.125), Linear(0.0625)], steps=(2, 4, 8, 16, 32)),
          Arm("near", [HeldOut("near")])],
    metrics=[Judge(checkpoint("judge", of="protein")), NgramJudge(order=3), SampleEntropy(), Composition(),
             KmerDistance(), NearestIdentity(), Clusters(), FamilyHits(), FamilyBits()],
    n=2048, batch=64)


def claims(store: Store, command: str) -> list[dict]:
    frontier = claims_of("protein", "judge", "judge nats per residue, paired", {"": 32, ".at_8": 8}, MARGIN)
    also = (("headline.ssmd.nfe_ratio.protein", "judge"), ("nfe_ratio.protein.ngram", "ngram"))
    plain = [row for name, label in also for row in ratio(name, store, command, ARM, 32, label, margin=MARGIN)]
    return [*frontier(store, command), *plain, *headlines(store, command, DILATED, 32, "judge", ".protein", MARGIN),
            *leaks(store, command)]
