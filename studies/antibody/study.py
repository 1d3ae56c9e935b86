"""What does a causal block on a pretrained network of antibodies save, where a quarter of a chain is given?

Design: AntiBERTy, frozen (26 M parameters, 8 blocks), and blocks of 3.9 M trained on it by `ssmd-bench attach`. The
first 30 residues of held-out heavy chains are given, 90 are written. The judge is IgLM, which was trained by itself on
natural antibodies; held-out and shuffled chains stand beside. Ancestral sampling of the network alone is the baseline.

The blocks learn from chains made by OLGA, which the network never saw. So part of what they add may be knowledge of
these chains, and no speculation. Controls, each with the settings of the others:

    blind     a block that reads no tokens: it can correct the draft and speculate on nothing
    taught    a block whose labels are the network's own laws, one token a pass: it cannot learn what the network does
              not know
    s2        another seed of training
    short     a quarter of the training
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
from harness.study import Arm, Study, Timing, grid
from ssmd.attached import AttachedTo
from ssmd.sampler import SelfSpeculative
from studies.arms import BASELINE, DILATED, HELD_OUT, SHUFFLED

__all__ = ["STUDY"]

TRUNK = Hub("runs/antiberty", tokens=AMINO)
BLOCKS = ("s1", "s2", "short", "blind", "taught")
ROUNDS, WIDE, NARROW = 10, Linear(0.25), Linear(0.125)


def speculative(block: str, *windows: Linear) -> Arm:
    """SSMD in dilated orders with one of the blocks."""
    return Arm(f"{DILATED}_{block}", [SelfSpeculative(window, ROUNDS, Dilated()) for window in windows],
               {"main": block})


STUDY = Study(
    name="antibody", question=__doc__, data=Fasta("runs/chains.fasta", length=120), reference="trunk", prompt=0.25,
    nets={"trunk": TRUNK} | {name: AttachedTo(f"runs/blocks/{name}/block.safetensors", TRUNK) for name in BLOCKS},
    arms=[
        Arm(BASELINE, grid(Ancestral, steps=[8, 16]), {"main": "trunk"}),
        speculative("s1", WIDE, NARROW), speculative("blind", NARROW), speculative("taught", WIDE, NARROW),
        speculative("s2", NARROW), speculative("short", NARROW),
        Arm("fixed_dilated", [FixedCount(window, Dilated()) for window in (WIDE, NARROW)], {"main": "trunk"}),
        Arm("ssmd_uniform_s1", [SelfSpeculative(NARROW, ROUNDS)], {"main": "s1"}),
        HELD_OUT, SHUFFLED,
    ],
    metrics=[LmJudge("runs/iglm", before=("[HEAVY]", "[HUMAN]")), SampleEntropy()], n=512, batch=32,
    timing=Timing(processes=5, rows=8, repeats=1))
