"""What does a causal block on a pretrained network of antibodies save, where a quarter of a chain is given?

Design: AntiBERTy, frozen, and one block trained on it by `ssmd-bench attach` (studies/antibody/prepare.py; runs/attach
holds the block). The first 30 residues of held-out heavy chains are given, 90 are written. The judge is IgLM, which was
trained by itself; held-out and shuffled chains stand beside. Ancestral sampling of the network alone; the hybrid in
uniform and in dilated orders; the dilated order unverified.

Open: nothing is claimed of it yet. What it needs is more training, two seeds of it, controls for what the block learns
of the chains that the network did not know, and a setting in which a tenth of a chain is given at random.
"""

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from harness.data.fasta import Fasta
from harness.data.residues import AMINO
from harness.metrics.entropy import SampleEntropy
from harness.metrics.lm_judge import LmJudge
from harness.nets.hub import Hub
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid
from ssmd.attached import AttachedTo
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT, SHUFFLED

__all__ = ["STUDY"]

TRUNK = Hub("runs/antiberty", tokens=AMINO)
WINDOWS = [Linear(0.25), Linear(0.125)]

STUDY = Study(
    name="antibody", question=__doc__, data=Fasta("runs/chains.fasta", length=120), reference="trunk", prompt=0.25,
    nets={"trunk": TRUNK, "attached": AttachedTo("runs/attach/block.safetensors", TRUNK)},
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[4, 8, 16]), {"main": "trunk"}),
        Arm("ssmd_frozen", [SelfSpeculative(window, 10) for window in WINDOWS], {"main": "attached"}),
        Arm("ssmd_dilated", [SelfSpeculative(window, 10, Dilated()) for window in WINDOWS], {"main": "attached"}),
        Arm("fixed_dilated", [FixedCount(window, Dilated()) for window in WINDOWS], {"main": "trunk"}),
        HELD_OUT, SHUFFLED,
    ],
    metrics=[LmJudge("runs/iglm", before=("[HEAVY]", "[HUMAN]")), SampleEntropy()], n=512, batch=32)
