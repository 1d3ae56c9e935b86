"""Quality against passes of every sampler, from 4 passes to one a token and beyond, on one network.

Design: the heavy network, and the hybrid whose draft it is with a causal block on top, so that samplers differ and
networks do not. Standard: ancestral under two schedules, first-hitting (the exact reference), dilated orders. Rate
solvers, remasking samplers, orders of the network's own choice with drawn and greedy tokens beside random ones under
the same schedules. Cheaper networks: a sandwich of light and heavy. Speculation: the self-speculative sampler in
windows, in dilated orders, with a budget of entropy, with sweeps, in relay with a hybrid of five blocks below (it ships
no lighter one); a light network that drafts for the heavy one; its windows unverified; one token a pass from its
target. Controls: ancestral at temperature 0.8 and with a nucleus of 0.9, for what low entropy buys; the float32 race;
sigma-GPT's rejection; held-out and shuffled text. Rows share seeds. NFE by convention A. Claims: the likelihood of
every arm at the passes of ancestral sampling in 16 and in 32 steps, where a setting of it lies within a tenth of them,
with the difference in the entropy of letters. Expected: the self-speculative sampler ahead at equal passes; those led
by confidence ahead by likelihood, behind in entropy. `ssmd-bench run studies/frontier --compile --no-time --claims`:
about 75 minutes on one core at n = 128.
"""

from baselines.remdm import Cap, Loop, Rescale
from harness.plugins import find
from harness.schedules.certainty import Confidence, Entropy, Margin, Random
from harness.schedules.noise import Cosine as CosineSchedule
from harness.schedules.order import Dilated
from harness.schedules.placement import Sandwich
from harness.schedules.window import Cosine, Linear, Open
from harness.study import Arm, Study, grid
from studies.arms import HELD_OUT, SHUFFLED
from studies.families import METRICS, TEXT, nets
from studies.frontier.claims import claims

__all__ = ["STUDY", "claims"]

S, STEPS = find("step"), [4, 8, 16, 32, 64, 128]    # every sampler by its name
WINDOWS = [(16, Open()), (10, Cosine(0.3)), (10, Linear(0.125)), (10, Linear(0.083)), (10, Linear(0.05)),
           (4, Cosine(0.04)), (2, Cosine(0.02)), (1, Cosine(0.002))]
HEAVY, HYBRID, BOTH = {"main": "heavy"}, {"main": "hybrid_frozen"}, {"main": "heavy", "light": "light"}

STUDY = Study(
    name="frontier", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("heavy", "light", "hybrid", "hybrid_frozen"),
    arms=[
        Arm("ancestral", grid(S["ancestral"], steps=STEPS), HEAVY),
        Arm("ancestral_cosine", grid(S["ancestral"], steps=STEPS[1:5], schedule=[CosineSchedule()]), HEAVY),
        Arm("first_hitting", grid(S["first_hitting"], tokens=[1, 4, 16, 32]), HEAVY),
        Arm("dilated", [S["first_hitting"](tokens, order=Dilated()) for tokens in (16, 8, 4)], HEAVY),
        Arm("tau_leaping", grid(S["tau_leaping"], steps=STEPS[1:5]), HEAVY),
        Arm("theta_trapezoidal", grid(S["theta_trapezoidal"], steps=STEPS[:4]), HEAVY),
        *(Arm(name, grid(S[name], steps=[16, 32]), HEAVY) for name in ("euler", "psi", "forward_backward", "dfm",
                                                                       "remdm_conf", "moment")),
        *(Arm(f"remdm_{strategy.name}", grid(S["remdm"], steps=[32, 64], strategy=[strategy]), HEAVY)
          for strategy in (Cap(), Rescale(), Loop())),
        *(Arm(by.name, grid(S["ordered"], steps=STEPS[1:5], by=[by]), HEAVY)
          for by in (Confidence(), Margin(), Entropy())),
        Arm("confidence_greedy", grid(S["ordered"], steps=STEPS[2:5], by=[Confidence()], tokens=["greedy"]), HEAVY),
        Arm("random_order", grid(S["ordered"], steps=STEPS[1:4], by=[Random()]), HEAVY),
        Arm("maskgit", grid(S["maskgit"], steps=STEPS[1:4]), HEAVY), Arm("klass", [S["klass"]()], HEAVY),
        Arm("random_order_cosine", grid(S["ordered"], steps=STEPS[1:4], by=[Random()], schedule=[CosineSchedule()]),
            HEAVY),
        Arm("entropy_bounded", grid(S["entropy_bounded"], gamma=[0.3, 1.0, 3.0]), HEAVY),
        Arm("threshold", grid(S["threshold"], tau=[0.9, 0.7, 0.5], tokens=["drawn"]), HEAVY),
        Arm("scheduled", [S["scheduled"](S["ancestral"](steps), Sandwich(0.25)) for steps in STEPS[1:5]], BOTH),
        Arm("light_heavy", [S["light_heavy"](4)], BOTH), Arm("speculative", [S["speculative"](4)], BOTH),
        Arm("ssmd", [S["ssmd"](window, rounds) for rounds, window in WINDOWS], HYBRID),
        Arm("ssmd_bonus", [S["ssmd_bonus"](window, rounds) for rounds, window in WINDOWS[3:5]], HYBRID),
        Arm("ssmd_jacobi", [S["ssmd_unverified"](window, "jacobi") for _, window in WINDOWS[3:5]], HYBRID),
        Arm("ssmd_adaptive", [S["ssmd_adaptive"](Open(), 10, Random(), budget) for budget in (40.0, 20.0, 10.0)],
            HYBRID),
        Arm("ssmd_corrected", [S["ssmd_corrected"](S["ssmd_adaptive"](budget=b), 0.125, sweeps) for b,
                               sweeps in ((48.0, 2), (32.0, 4), (40.0, 8))], HYBRID),
        Arm("ssmd_dilated", [S["ssmd"](window, rounds, order=Dilated()) for rounds, window in WINDOWS[1:6]], HYBRID),
        Arm("ssmd_relayed", [S["ssmd_relayed"](S["ssmd"](Linear(0.083), 10), Sandwich(0.25))],
            HYBRID | {"light": "hybrid"}),
        Arm("fixed_count", [S["fixed_count"](window) for _, window in WINDOWS[1:6]], HYBRID),
        Arm("any_order", [S["any_order"]()], HYBRID), Arm("sigma_gpt", [S["sigma_gpt"](5)], HYBRID),
        Arm("ancestral_cool", grid(S["ancestral"], steps=STEPS[2:5]), HEAVY, temperature=0.8),
        Arm("ancestral_nucleus", grid(S["ancestral"], steps=STEPS[2:5]), HEAVY, nucleus=0.9),
        Arm("fused_float32", grid(S["fused_float32"], steps=[16, 64]), HEAVY), HELD_OUT, SHUFFLED,
    ],
    metrics=METRICS, n=128, batch=64)
