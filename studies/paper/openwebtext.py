"""OpenWebText at the size of arXiv 2510.03929: 12 blocks, 11 + 1 in the hybrid, 1,024 tokens of GPT-2's tokenizer.
Nothing here was run at this size by us.

The six windows are said to be those of OpenWebText; batch and learning rate are reported and weak. Reported table of
the paper: likelihood under GPT-2 at a number of passes, with a judge's size, sample counts and tokenisation that are
not known; so its numbers and ours may not stand in one column. docs/reproduce.md has the commands and what they cost.
"""

from baselines.ancestral import Ancestral
from harness.data.control import HeldOut, Shuffled
from harness.data.openwebtext import OpenWebText
from harness.metrics.entropy import CorpusEntropy, SampleEntropy
from harness.metrics.lm_presets import Gpt2Large
from harness.schedules.window import Cosine
from harness.study import Arm, Checkpoint, Study, grid
from ssmd.sampler import SelfSpeculative
from ssmd.train.settings import Training

DATA = OpenWebText(path="openwebtext", tokenizer="gpt2", length=1024)
SIZE = dict(width=768, heads=12, blocks=12, batch=256, micro=16, tokens=1e6 * 256 * 1024, average=0.9999,
            optimiser="adamw", lr=1.5e-4, decay=0.01, betas=(0.9, 0.999), warmup=10_000, dropout=0.1)
FAMILY = {"heavy": Training("masked", **SIZE), "hybrid": Training("hybrid", **SIZE)}
OUT = "runs/openwebtext"

STUDY = Study(
    name="paper_openwebtext", question=__doc__, data=DATA, nets={name: Checkpoint(f"{OUT}/{name}/{name}.safetensors")
                                                                 for name in FAMILY}, reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[8, 16, 32, 64, 128, 256, 512, 1024]), {"main": "heavy"}),
        Arm("ssmd", [SelfSpeculative(Cosine(delta), rounds) for rounds,
                     delta in ((1, 0.002), (2, 0.005), (3, 0.01), (4, 0.02), (8, 0.04), (10, 0.083))],
            {"main": "hybrid"}),
        Arm("held_out", [HeldOut()]), Arm("shuffled", [Shuffled()]),
    ],
    metrics=[Gpt2Large(), SampleEntropy(), CorpusEntropy()], n=1024, batch=64)
