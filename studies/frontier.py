"""Quality against passes of every sampler there is, from 4 passes to one a token, on the shipped family.

Design: each sampler over its whole range, rows sharing seeds: ancestral sampling under two schedules, first-hitting with several tokens an event, the same with a quarter
of the text from the light network (sandwich), the self-speculative sampler from wide windows to one token, its windows unverified, one token a pass from its target, and
the float32 race as a control for a common fault. NFE by convention A (blocks over blocks); B and C are recorded. Claims: passes of ancestral sampling over those of the
self-speculative sampler at the likelihood that ancestral sampling reaches in 8, 16, 32 and 64 steps, where both fronts reach it. Expected, from the paper's headline: ratios
near 2 at few passes, falling towards 1 at many. `ssmd-bench run studies/frontier.py --jobs 2 --no-time --claims`: 75 minutes on two cores at n = 1,024.
"""

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.fused_float32 import FusedFloat32
from baselines.scheduled import Scheduled
from harness.claims import claim
from harness.control import HeldOut, Shuffled
from harness.frontier import matched_curve, rising
from harness.placement import Sandwich
from harness.points import done, point, rows
from harness.schedule import Cosine as CosineSchedule
from harness.store import Store
from harness.study import Arm, Study, grid
from harness.window import Cosine, Linear, Open
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO

STEPS, MATCHED_AT = [4, 8, 16, 32, 64, 128], (8, 16, 32, 64)
WINDOWS = [(16, Open()), (10, Cosine(0.3)), (10, Linear(0.125)), (10, Cosine(0.16)), (10, Cosine(0.083)), (4, Cosine(0.04)), (2, Cosine(0.02)), (1, Cosine(0.002))]
HEAVY, HYBRID = {"main": "heavy"}, {"main": "hybrid"}
MODULES = ("harness.loop", "harness.nets.transformer", "ssmd.model")

STUDY = Study(
    name="frontier", question=__doc__, data=DEMO.data, nets=DEMO.nets, reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=STEPS), HEAVY),
        Arm("ancestral_cosine", grid(Ancestral, steps=[4, 8, 16, 32], schedule=[CosineSchedule()]), HEAVY),
        Arm("first_hitting", grid(FirstHitting, tokens=[1, 4, 16, 32]), HEAVY),
        Arm("scheduled", [Scheduled(Ancestral(steps), Sandwich(0.25)) for steps in STEPS[:-1]], HEAVY | {"light": "light"}),
        Arm("ssmd", [SelfSpeculative(window, rounds) for rounds, window in WINDOWS], HYBRID),
        Arm("fixed_count", [FixedCount(window) for _, window in WINDOWS[1:6]], HYBRID),
        Arm("any_order", [AnyOrder()], HYBRID),
        Arm("fused_float32", grid(FusedFloat32, steps=[16, 64]), HEAVY),
        Arm("held_out", [HeldOut()]),
        Arm("shuffled", [Shuffled()]),
    ],
    metrics=DEMO.metrics, n=1024, batch=64)


def claims(store: Store, command: str) -> list[dict]:
    """frontier.nfe_ratio.judge.{8, 16, 32, 64}: passes of ancestral over passes of ssmd at the likelihood of ancestral sampling in so many steps."""
    n, made = rows(store, "ancestral", "ssmd"), []
    baseline, arm = ([(r, p) for r in done(store, name, n) if (p := point(store, r, "judge"))] for name in ("ancestral", "ssmd"))
    at = {r["cell"]["sampler"]["steps"]: p.scores for r, p in baseline if r["cell"]["sampler"]["steps"] in MATCHED_AT}
    for steps, found in zip(at, matched_curve(*(rising([p for _, p in side], "lower") for side in (baseline, arm)), list(at.values()))):
        if v := found.interval:
            note = f"at judge {found.quality:.4f}, passes of ancestral {found.baseline_cost:.1f} and ssmd {found.arm_cost:.1f}"
            made.append(claim(f"frontier.nfe_ratio.judge.{steps}", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, [r["key"] for r, _ in [*baseline, *arm]], note, MODULES))
        else:
            print(f"frontier.nfe_ratio.judge.{steps}: no interval, {found.reason}")
    return made
