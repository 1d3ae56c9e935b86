"""How many passes does self-speculative masked diffusion save at equal quality on the shipped text family?

Design: ancestral sampling of the heavy network from 12 to 64 steps against the hybrid in cosine and in linear windows from wide to narrow; rows share
seeds, so all differences are paired. NFE by convention A (blocks over blocks). Claims: the ratio of passes at the quality that ancestral sampling reaches
at 24 and at 32 steps, by spelling and by the judge's likelihood; and the same against ancestral sampling on the hybrid's own non-causal blocks, which takes
the quality of the network out of the comparison. Expected, from the paper's headline (about 2x fewer passes): ratios near 2.
About an hour and a half on two cores at n = 2,048.
"""

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from harness.claims import claim
from harness.control import HeldOut, Shuffled
from harness.frontier import matched_ratio
from harness.points import done, point, rows
from harness.schedule import Cosine as CosineSchedule
from harness.store import Store
from harness.study import Arm, Study, grid
from harness.window import Cosine, Linear
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO

WINDOWS = [(10, Linear(0.125)), (10, Linear(0.083)), (10, Linear(0.0625)), (4, Linear(0.04)), (4, Linear(0.025)),
           (10, Cosine(0.16)), (10, Cosine(0.083)), (4, Cosine(0.04)), (2, Cosine(0.02))]
BASELINES = {"": ("ancestral", 32), ".at_24": ("ancestral", 24), ".same_network": ("ancestral_hybrid", 32)}    # of a claim's name: arm and steps whose quality is matched

STUDY = Study(
    name="text_frontier", question=__doc__, data=DEMO.data, nets={k: DEMO.nets[k] for k in ("hybrid", "heavy")}, reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[12, 16, 24, 32, 64]), {"main": "heavy"}),
        Arm("ancestral_cosine", [Ancestral(24, CosineSchedule())], {"main": "heavy"}),
        Arm("ancestral_hybrid", grid(Ancestral, steps=[16, 24, 32]), {"main": "hybrid"}),
        Arm("ssmd", [SelfSpeculative(window, rounds) for rounds, window in WINDOWS], {"main": "hybrid"}),
        Arm("fixed_count", [FixedCount(Linear(0.125)), FixedCount(Cosine(0.16))], {"main": "hybrid"}),
        Arm("held_out", [HeldOut()]),
        Arm("shuffled", [Shuffled()]),
    ],
    metrics=DEMO.metrics, n=2048, batch=64)


def claims(store: Store, command: str) -> list[dict]:
    """nfe_ratio.text.{spelling, judge}[.at_24 | .same_network]: passes of ancestral sampling over passes of ssmd at equal quality."""
    made = []
    for label, better in (("spelling", "higher"), ("judge", "lower")):
        for suffix, (name, steps) in BASELINES.items():
            n = rows(store, name, "ssmd")
            baseline, arm = ([(r, p) for r in done(store, who, n) if (p := point(store, r, label))] for who in (name, "ssmd"))
            at = next((p for r, p in baseline if r["cell"]["sampler"]["steps"] == steps), None)
            if at is None:
                print(f"nfe_ratio.text.{label}{suffix}: {name} at {steps} steps is not in the store; run the study without --only")
                continue
            found = matched_ratio([p for _, p in baseline], [p for _, p in arm], at.scores, better)
            passes = " and ".join(f"{who} {cost:.1f}" if cost else f"{who} never" for who, cost in ((name, found.baseline_cost), ("ssmd", found.arm_cost)))
            note = f"at {label} {found.quality:.4f}, passes of {passes}" + (f"; {found.reason}" if found.reason else "")
            if found.interval:
                v, keys = found.interval, [r["key"] for r, _ in (*baseline, *arm)]
                made.append(claim(f"nfe_ratio.text.{label}{suffix}", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys, note))
            else:
                print(f"nfe_ratio.text.{label}{suffix}: no interval, {note}")
    return made
