"""With a network that makes no mistake, which sampler is wrong, and does a judge see it?

Design: a Markov chain of characters fitted to Wikipedia's leads, and the exact network of it (arXiv 2602.19619), so
that every fault is the sampler's. Each sampler in 8 and in 16 steps for 128 characters, exact ones beside.
The oracle's measures: how far the likelihood is from the entropy rate, and the divergence of pairs and triples of
neighbours, with that of the chain's own rows as the floor. Beside them what is used where no law is known: an
autoregressive judge that learned real text, an n-gram judge of the chain's own, and MAUVE. Claims: the rank agreement
of the judges with the oracle over all settings.
"""

from harness.data.bigram import Bigram
from harness.metrics.chain import NllExcess, TransitionKl
from harness.metrics.entropy import SampleEntropy
from harness.metrics.judge import Judge
from harness.metrics.mauve import Mauve
from harness.plugins import find
from harness.schedules.certainty import Confidence, Entropy, Margin
from harness.schedules.noise import Cosine as CosineSchedule
from harness.schedules.order import Dilated
from harness.schedules.placement import Sandwich
from harness.schedules.window import Linear
from harness.study import Arm, Study, Table, grid
from studies.arms import HELD_OUT, SHUFFLED
from studies.families import checkpoint
from studies.hmm.claims import claims

__all__ = ["STUDY", "claims"]

S, STEPS, DATA = find("step"), [8, 16], Bigram()
WINDOWS = [Linear(delta) for delta in (0.125, 0.0625)]
ORACLE, BOTH = {"main": "oracle"}, {"main": "oracle", "light": "light"}

STUDY = Study(
    name="hmm", question=__doc__, data=DATA, reference="oracle",
    nets={"oracle": Table(DATA), "light": Table(DATA, 0.7)},
    arms=[
        *(Arm(name, grid(S[name], steps=STEPS), ORACLE) for name in ("ancestral", "tau_leaping", "euler", "psi",
                                                                     "forward_backward", "dfm", "remdm", "remdm_conf",
                                                                     "moment", "theta_trapezoidal", "maskgit")),
        Arm("ancestral_cosine", grid(S["ancestral"], steps=STEPS, schedule=[CosineSchedule()]), ORACLE),
        *(Arm(by.name, grid(S["ordered"], steps=STEPS, by=[by]), ORACLE) for by in (Confidence(), Margin(), Entropy())),
        Arm("confidence_greedy", grid(S["ordered"], steps=STEPS, by=[Confidence()], tokens=["greedy"]), ORACLE),
        Arm("threshold", grid(S["threshold"], tau=[0.9, 0.5], tokens=["drawn"]), ORACLE),
        Arm("klass", [S["klass"]()], ORACLE),
        Arm("entropy_bounded", grid(S["entropy_bounded"], gamma=[0.3, 3.0]), ORACLE),
        Arm("fixed_count", [S["fixed_count"](window) for window in WINDOWS], ORACLE),
        Arm("fixed_dilated", [S["fixed_count"](window, Dilated()) for window in WINDOWS], ORACLE),
        Arm("scheduled", [S["scheduled"](S["ancestral"](steps), Sandwich(0.25)) for steps in STEPS], BOTH),
        Arm("ssmd", [S["ssmd"](window, 10) for window in WINDOWS], ORACLE),
        Arm("ssmd_dilated", [S["ssmd"](window, 10, order=Dilated()) for window in WINDOWS], ORACLE),
        Arm("first_hitting", [S["first_hitting"]()], ORACLE), Arm("any_order", [S["any_order"]()], ORACLE),
        Arm("light_heavy", [S["light_heavy"](4)], BOTH), HELD_OUT, SHUFFLED,
    ],
    metrics=[NllExcess(), TransitionKl(), TransitionKl(order=3), Judge(checkpoint("judge")), SampleEntropy(),
             Mauve(n=512)],
    n=1024, batch=256)
