"""How many passes does self-speculative masked diffusion save at equal quality on proteins, by the paper's protein recipe: one causal block on a frozen network?

Design: ancestral sampling of the heavy network against the hybrid whose draft is that network bit for bit, in linear windows from wide to narrow; a light network that shares
the steps with the heavy one; the window unverified; held-out and shuffled proteins. Crops of 128 residues of Swiss-Prot clustered at 50 % identity, held-out ones without a
relative in training (docs/proteins.md). Rows share seeds. NFE by convention A: blocks over the six of the heavy network. Claims: the ratio of passes at the quality, under an
autoregressive judge trained on clusters of its own, that ancestral sampling reaches at 24, 32 and 64 steps. Likelihood alone can be bought with repeats: composition, words of
three, identity to training, clusters and family profiles stand beside it, each with its held-out and shuffled level. Expected: ratios near 2, as on text.
The networks do not ship: docs/proteins.md says how they are trained. `run ... --compile --no-time --claims`: about two hours on one core at n = 2,048.
"""

from pathlib import Path

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.control import HeldOut, Shuffled
from harness.data.proteins import Proteins
from harness.metrics.entropy import SampleEntropy
from harness.metrics.families import FamilyBits, FamilyHits
from harness.metrics.judge import Judge
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.novelty import Clusters, NearestIdentity
from harness.metrics.residue_grams import Composition, KmerDistance
from harness.placement import Sandwich
from harness.study import Arm, Checkpoint, Study, grid
from harness.window import Linear
from ssmd.sampler import SelfSpeculative
from studies.found.protein_frontier import claims

__all__ = ["STUDY", "claims"]

FOLDER, ROUNDS = Path("runs/protein_family"), 10
WINDOWS = [Linear(delta) for delta in (0.125, 0.083, 0.0625, 0.05, 0.04, 0.03)]

STUDY = Study(
    name="protein_frontier", question=__doc__, data=Proteins(length=128), reference="heavy",
    nets={name: Checkpoint(str(FOLDER / name / f"{name}.safetensors")) for name in ("heavy", "light", "hybrid_frozen")},
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[16, 24, 32, 64]), {"main": "heavy"}),
        Arm("scheduled", [Scheduled(Ancestral(steps), Sandwich(0.25)) for steps in (24, 32)], {"main": "heavy", "light": "light"}),
        Arm("ssmd_frozen", [SelfSpeculative(window, ROUNDS) for window in WINDOWS], {"main": "hybrid_frozen"}),
        Arm("fixed_count", [FixedCount(WINDOWS[0])], {"main": "hybrid_frozen"}),
        Arm("held_out", [HeldOut()]),
        Arm("shuffled", [Shuffled()]),
    ],
    metrics=[Judge(str(FOLDER / "judge" / "judge.safetensors")), NgramJudge(order=3), SampleEntropy(), Composition(), KmerDistance(), NearestIdentity(), Clusters(), FamilyHits(),
             FamilyBits()],
    n=2048, batch=64)
