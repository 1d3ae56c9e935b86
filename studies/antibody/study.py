"""What does a causal block on a pretrained network of antibodies save, where a tenth of a chain is given?

Design: AntiBERTy, frozen (26 M parameters, 8 blocks), and blocks of 3.9 M trained on it by `ssmd-bench attach`. Twelve
residues of held-out heavy chains are given, at random places, and 108 are written: with less the network is off its own
training. The judge is IgLM, which was trained by itself on natural antibodies; held-out and shuffled chains stand
beside. Ancestral sampling of the network alone is the baseline, and first-hitting sampling, one token a pass, the level
of a perfect sampler of it. No smaller network of its family can be had, so nothing is scheduled. Passes are in
bfloat16, draws in float64.

The blocks learn from chains made by OLGA, which the network never saw. So part of what they add may be knowledge of
these chains, and no speculation. Controls, each with the settings of the others:

    blind     a block that reads no tokens: it can correct the draft and speculate on nothing
    taught    a block whose labels are the network's own laws, one token a pass: it cannot learn what the network does
              not know
    own       a block trained on rows that the network wrote itself, behind a tenth of a chain, along the order of
              writing, with the laws that it met there as labels: its optimum is that of `taught`
    known     a block trained on chains as the network's own data were (studies/antibody/written.py)
    s2, blind2, own2, known2    another seed of training
    short     a quarter of the training
    tiny      a sixteenth of it
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.data.fasta import Fasta
from harness.data.residues import AMINO
from harness.metrics.entropy import SampleEntropy
from harness.metrics.lm_judge import LmJudge
from harness.metrics.proteins.antibody import Recognised
from harness.nets.hub import Hub
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from harness.study import Arm, Study, Timing, grid
from ssmd.attached import AttachedTo
from ssmd.sampler import SelfSpeculative
from studies.antibody.blocks import BLOCKS
from studies.antibody.claims import WIDE, claims, measure
from studies.arms import BASELINE, DILATED, HELD_OUT, SHUFFLED

__all__ = ["METRICS", "NETS", "STUDY", "TRUNK", "claims", "measure"]

TRUNK = Hub("runs/antiberty", tokens=AMINO)
ROUNDS, HALF, NARROW = 10, Linear(0.5), Linear(0.125)


def speculative(block: str, *windows: Linear) -> Arm:
    """SSMD in dilated orders with one of the blocks."""
    return Arm(f"{DILATED}_{block}", [SelfSpeculative(window, ROUNDS, Dilated()) for window in windows],
               {"main": block})


NETS = {"trunk": TRUNK} | {name: AttachedTo(f"runs/blocks/{name}/block.safetensors", TRUNK) for name in BLOCKS}
METRICS = [LmJudge("runs/iglm", before=("[HEAVY]", "[HUMAN]")), SampleEntropy(), Recognised()]

STUDY = Study(
    name="antibody", question=__doc__, data=Fasta("runs/chains.fasta", length=120), reference="trunk",
    prompt=0.1, scattered=True, dtype="bfloat16",
    nets=NETS,
    arms=[
        Arm(BASELINE, grid(Ancestral, steps=[4, 8, 16, 32]), {"main": "trunk"}),
        speculative("s1", HALF, WIDE), speculative("blind", WIDE), speculative("taught", HALF, WIDE, NARROW),
        speculative("s2", WIDE), speculative("short", HALF, WIDE), speculative("tiny", HALF, WIDE),
        speculative("known", WIDE), speculative("own", HALF, WIDE, NARROW),
        *(speculative(second, WIDE) for second in ("blind2", "known2", "own2")),
        Arm("fixed_dilated", [FixedCount(window, Dilated()) for window in (HALF, WIDE, NARROW)], {"main": "trunk"}),
        Arm("first_hitting", [FirstHitting()], {"main": "trunk"}),
        Arm("ssmd_uniform_s1", [SelfSpeculative(WIDE, ROUNDS)], {"main": "s1"}),
        HELD_OUT, SHUFFLED,
    ],
    metrics=METRICS, n=512, batch=32,
    timing=Timing(processes=5, rows=8, repeats=1))
