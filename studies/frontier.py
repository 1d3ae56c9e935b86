"""Quality against passes of every sampler there is, from 4 passes to one a token and beyond, on one network.

Design: the heavy network, and the hybrid whose draft it is with a causal block on top, so that samplers differ and networks do not. Standard sampling: ancestral under two schedules, first-hitting
(the exact reference), tau-leaping, the theta-trapezoidal method, remasking (ReMDM cap and loop). Orders of the network's own choice: confidence with drawn and with greedy tokens, random as their
control, MaskGIT, entropy-bounded, threshold, KLASS. Cheaper networks: a sandwich of light and heavy. Speculation: the self-speculative sampler in windows, with a budget of entropy, with corrector
sweeps; a light network that drafts for the heavy one; its windows unverified; one token a pass from its target. Controls: ancestral at temperature 0.8 and with a nucleus of 0.9, for what
lower entropy buys; the float32 race; sigma-GPT's rejection; held-out and shuffled text. Rows share seeds. NFE by convention A (blocks over blocks); B, C and FLOPs are recorded.
Claims: passes of ancestral sampling over those of the self-speculative sampler at the likelihood that ancestral sampling reaches in 8, 16, 32 and 64 steps, where both fronts reach it.
Expected, from the paper's headline: ratios near 2 at few passes, falling towards 1 at many; greedy and confidence-led samplers ahead by likelihood and behind in entropy, hence not at matched entropy.
`ssmd-bench run studies/frontier.py --compile --no-time --claims`: about 80 minutes on one core at n = 256.
"""

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.entropy_bounded import EntropyBounded
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.fused_float32 import FusedFloat32
from baselines.klass import KLASS
from baselines.light_heavy import LightHeavy
from baselines.maskgit import MaskGIT
from baselines.ordered import Ordered
from baselines.remdm import Cap, Loop, ReMDM
from baselines.scheduled import Scheduled
from baselines.sigma_gpt import SigmaGpt
from baselines.tau_leaping import TauLeaping
from baselines.theta_trapezoidal import ThetaTrapezoidal
from baselines.threshold import Threshold
from harness.certainty import Confidence, Random
from harness.control import HeldOut, Shuffled
from harness.placement import Sandwich
from harness.schedule import Cosine as CosineSchedule
from harness.study import Arm, Checkpoint, Study, grid
from harness.window import Cosine, Linear, Open
from ssmd.adaptive import Adaptive
from ssmd.corrected import Corrected
from ssmd.family import SHIPPED
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO
from studies.found.frontier import claims

__all__ = ["STUDY", "claims"]

STEPS = [4, 8, 16, 32, 64, 128]
WINDOWS = [(16, Open()), (10, Cosine(0.3)), (10, Linear(0.125)), (10, Linear(0.083)), (10, Linear(0.05)), (4, Cosine(0.04)), (2, Cosine(0.02)), (1, Cosine(0.002))]
HEAVY, HYBRID, BOTH = {"main": "heavy"}, {"main": "hybrid_frozen_plain"}, {"main": "heavy", "light": "light"}

STUDY = Study(
    name="frontier", question=__doc__, data=DEMO.data, reference="heavy",
    nets={name: Checkpoint(str(SHIPPED / f"{name}.safetensors")) for name in ("heavy", "light", "hybrid_frozen_plain")},
    arms=[
        Arm("ancestral", grid(Ancestral, steps=STEPS), HEAVY),
        Arm("ancestral_cosine", grid(Ancestral, steps=STEPS[1:5], schedule=[CosineSchedule()]), HEAVY),
        Arm("first_hitting", grid(FirstHitting, tokens=[1, 4, 16, 32]), HEAVY),
        Arm("tau_leaping", grid(TauLeaping, steps=STEPS[1:5]), HEAVY),
        Arm("theta_trapezoidal", grid(ThetaTrapezoidal, steps=STEPS[:4]), HEAVY),
        Arm("remdm", [ReMDM(steps, strategy) for steps in (32, 64) for strategy in (Cap(), Loop())], HEAVY),
        Arm("confidence", grid(Ordered, steps=STEPS[1:5], by=[Confidence()]), HEAVY),
        Arm("confidence_greedy", grid(Ordered, steps=STEPS[2:5], by=[Confidence()], tokens=["greedy"]), HEAVY),
        Arm("random_order", grid(Ordered, steps=STEPS[1:4], by=[Random()]), HEAVY),
        Arm("maskgit", grid(MaskGIT, steps=STEPS[1:4]), HEAVY),
        Arm("entropy_bounded", grid(EntropyBounded, gamma=[0.3, 1.0, 3.0]), HEAVY),
        Arm("threshold", grid(Threshold, tau=[0.9, 0.7, 0.5], tokens=["drawn"]), HEAVY),
        Arm("klass", [KLASS()], HEAVY),
        Arm("scheduled", [Scheduled(Ancestral(steps), Sandwich(0.25)) for steps in STEPS[1:5]], BOTH),
        Arm("light_heavy", [LightHeavy(4)], BOTH),
        Arm("ssmd", [SelfSpeculative(window, rounds) for rounds, window in WINDOWS], HYBRID),
        Arm("ssmd_adaptive", [Adaptive(Open(), 10, Random(), budget) for budget in (40.0, 20.0, 10.0)], HYBRID),
        Arm("ssmd_corrected", [Corrected(Adaptive(Open(), 10, Random(), budget), 0.125, sweeps) for budget, sweeps in ((48.0, 2), (32.0, 4), (40.0, 8))], HYBRID),
        Arm("fixed_count", [FixedCount(window) for _, window in WINDOWS[1:6]], HYBRID),
        Arm("any_order", [AnyOrder()], HYBRID),
        Arm("ancestral_cool", grid(Ancestral, steps=STEPS[2:5]), HEAVY, temperature=0.8),
        Arm("ancestral_nucleus", grid(Ancestral, steps=STEPS[2:5]), HEAVY, nucleus=0.9),
        Arm("sigma_gpt", [SigmaGpt(5)], HYBRID),
        Arm("fused_float32", grid(FusedFloat32, steps=[16, 64]), HEAVY),
        Arm("held_out", [HeldOut()]),
        Arm("shuffled", [Shuffled()]),
    ],
    metrics=DEMO.metrics, n=256, batch=64)
