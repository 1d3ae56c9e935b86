"""text8 at the size of arXiv 2510.03929: 12 blocks, 11 + 1 in the hybrid, 256 characters, one million updates of 512
rows. Nothing here was run at this size by us.

Blocks, length and the windows are reported of the paper; its optimiser and schedule are not known, and those below are
MD4's for text8 (arXiv 2406.04329). Reported of the paper: spelling 0.91 at NFE 80 (delta 0.01), 0.87 at NFE 21 (delta
0.083), more than twofold fewer passes than masked diffusion around NFE 20 to 50; its N is not known. docs/reproduce.md
has the commands and what they cost. Put text8.zip beside the run, or say --path.
"""

from baselines.ancestral import Ancestral
from harness.data.control import HeldOut, Shuffled
from harness.data.text8 import Text8
from harness.metrics.entropy import SampleEntropy
from harness.metrics.judge import Judge
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.schedules.window import Cosine
from harness.study import Arm, Checkpoint, Study, grid
from ssmd.sampler import SelfSpeculative
from ssmd.train.settings import Training

DATA = Text8(path="text8.zip", length=256)
SIZE = dict(width=768, heads=12, blocks=12, batch=512, micro=128, tokens=1e6 * 512 * 256, average=0.9999,
            optimiser="adamw", lr=3e-4, decay=0.03, betas=(0.9, 0.999), warmup=2000, dropout=0.05)
FAMILY = {
    "heavy": Training("masked", **SIZE), "hybrid": Training("hybrid", **SIZE),
    "hybrid_plain": Training("hybrid", residual=False, **SIZE), "hybrid_two": Training("hybrid", causal=2, **SIZE),
    "judge": Training("judge", **SIZE | {"tokens": 20e9}),
}
OUT = "runs/text8"

STUDY = Study(
    name="paper_text8", question=__doc__, data=DATA, nets={name: Checkpoint(f"{OUT}/{name}/{name}.safetensors")
                                                           for name in ("heavy", "hybrid", "hybrid_plain",
                                                                        "hybrid_two")},
    reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[16, 24, 32, 48, 64, 96, 128, 256]), {"main": "heavy"}),
        *(Arm(f"ssmd_{name}", [SelfSpeculative(Cosine(delta), rounds) for rounds,
                               delta in ((1, 0.002), (2, 0.005), (3, 0.01), (4, 0.02), (8, 0.04), (10, 0.083))],
              {"main": name}) for name in ("hybrid", "hybrid_plain", "hybrid_two")),
        Arm("held_out", [HeldOut()]), Arm("shuffled", [Shuffled()]),
    ],
    metrics=[Spelling(), Judge(f"{OUT}/judge/judge.safetensors"), NgramJudge(), SampleEntropy()], n=2048, batch=256)
