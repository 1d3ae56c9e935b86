"""How many passes does self-speculative masked diffusion save at equal quality on the shipped text family?

Design: ancestral sampling of the heavy network from 8 to 64 steps against the hybrid in windows from wide to narrow; rows share seeds, so
all differences are paired. NFE by convention A (blocks over blocks). Claims: the ratio of passes at the quality that ancestral sampling reaches
at 32 steps, by spelling and by the judge's likelihood. Expected, from the paper's headline (about 2x fewer passes): ratios near 2.
About an hour on two cores at n = 2,048.
"""

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from harness.claims import claim
from harness.control import HeldOut, Shuffled
from harness.frontier import matched_ratio
from harness.points import done, points
from harness.store import Store
from harness.study import Arm, Study, grid
from harness.window import Cosine
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO

SETTINGS = [(10, 0.3), (10, 0.16), (10, 0.083), (4, 0.04), (2, 0.02)]
MATCHED_AT = 32    # steps of ancestral sampling whose quality is matched

STUDY = Study(
    name="text_frontier", question=__doc__, data=DEMO.data, nets={k: DEMO.nets[k] for k in ("hybrid", "heavy")}, reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[8, 16, 32, 64]), {"main": "heavy"}),
        Arm("ssmd", [SelfSpeculative(Cosine(delta), rounds) for rounds, delta in SETTINGS], {"main": "hybrid"}),
        Arm("fixed_count", [FixedCount(Cosine(delta)) for _, delta in SETTINGS[:2]], {"main": "hybrid"}),
        Arm("held_out", [HeldOut()]),
        Arm("shuffled", [Shuffled()]),
    ],
    metrics=DEMO.metrics, n=2048, batch=64)


def claims(store: Store, command: str) -> list[dict]:
    """nfe_ratio.text.{spelling, judge}: passes of ancestral over passes of ssmd at the quality of ancestral at MATCHED_AT steps."""
    rows, keys = [], [r["key"] for arm in ("ancestral", "ssmd") for r in done(store, arm)]
    for label, better in (("spelling", "higher"), ("judge", "lower")):
        baseline, arm = points(store, "ancestral", label), points(store, "ssmd", label)
        at = next(p for p, r in zip(baseline, done(store, "ancestral")) if r["cell"]["sampler"]["steps"] == MATCHED_AT)
        found = matched_ratio(baseline, arm, at.scores, better)
        passes = " and ".join(f"{name} {cost:.1f}" if cost else f"{name} never" for name, cost in (("ancestral", found.baseline_cost), ("ssmd", found.arm_cost)))
        note = f"at {label} {found.quality:.4f}, passes of {passes}" + (f"; {found.reason}" if found.reason else "")
        if found.interval:
            v = found.interval
            rows.append(claim(f"nfe_ratio.text.{label}", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys, note))
        else:
            print(f"nfe_ratio.text.{label}: no interval, {note}")
    return rows
