"""Proteins at the size of arXiv 2510.03929: a frozen masked diffusion model of 30 blocks and one trained causal block.
Nothing here was run at this size by us.

Reported of the paper: the frozen part is a model of 150 M parameters on UniRef50, and alone the causal block (and its
projection) is trained; how, is not known. The optimiser below is that of the frozen model's own paper (arXiv
2402.18567). Two things differ from it and are ours: rows are crops of 256 residues, not whole proteins of up to 1,022,
and the frozen part is trained here instead of taken from its authors. The paper judges by ESMFold's pLDDT, which
docs/proteins.md says how to add. docs/reproduce.md has the commands.
"""

from baselines.ancestral import Ancestral
from harness.data.control import HeldOut, Shuffled
from harness.data.fasta import Fasta
from harness.metrics.entropy import SampleEntropy
from harness.metrics.proteins.residue_grams import Composition, KmerDistance
from harness.schedules.window import Cosine
from harness.study import Arm, Checkpoint, Study, grid
from ssmd.sampler import SelfSpeculative
from ssmd.train.settings import Training

DATA = Fasta(path="uniref50.fasta.gz", length=256, shortest=256)
SIZE = dict(width=640, heads=20, batch=1024, micro=64, optimiser="adamw", lr=4e-5, decay=0.01, betas=(0.9, 0.98),
            warmup=2000, average=0.9999)
FAMILY = {
    "heavy": Training("masked", blocks=30, **SIZE, tokens=5e5 * 1024 * 256),
    "hybrid": Training("hybrid", blocks=31, frozen=True, **SIZE, tokens=5e4 * 1024 * 256),
}
OUT = "runs/uniref50"

STUDY = Study(
    name="paper_uniref50", question=__doc__, data=DATA, nets={name: Checkpoint(f"{OUT}/{name}/{name}.safetensors")
                                                              for name in FAMILY}, reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[8, 16, 32, 64, 128, 256]), {"main": "heavy"}),
        Arm("ssmd", [SelfSpeculative(Cosine(delta), rounds) for rounds,
                     delta in ((1, 0.002), (2, 0.005), (3, 0.01), (4, 0.02), (8, 0.04), (10, 0.083))],
            {"main": "hybrid"}),
        Arm("held_out", [HeldOut()]), Arm("shuffled", [Shuffled()]),
    ],
    metrics=[Composition(), KmerDistance(), SampleEntropy()], n=1024, batch=64)
