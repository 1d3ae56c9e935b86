"""How many passes does self-speculative masked diffusion save at equal quality on the shipped text family?

Design: ancestral sampling of the heavy network against three hybrids in linear windows from wide to narrow: one causal block on top of the six frozen blocks of the
heavy network itself (ssmd_frozen, the recipe of the paper's protein model), one causal block of six (ssmd), two of six (ssmd_two). Rows share seeds, so all differences are
paired. NFE by convention A: blocks over the six of the heavy network. Claims: the ratio of passes at the quality that ancestral sampling reaches at 24, 32 and 64 steps, by
spelling and by the judge's likelihood. Those without a suffix are of ssmd_frozen, whose draft is the baseline's own network (decided when its first points had been seen; all
arms are claimed alike); .same_network holds ssmd against ancestral sampling on its own non-causal blocks. Linear windows were chosen in a pilot (studies/LOG.md).
Expected, from the paper's headline (about 2x fewer passes): ratios near 2. `run ... --compile --jobs 2`: about 75 minutes on two cores at n = 2,048.
"""

from itertools import product

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from harness.claims import claim
from harness.control import HeldOut, Shuffled
from harness.frontier import matched_ratio
from harness.points import done, point, rows
from harness.store import Store
from harness.study import Arm, Checkpoint, Study, grid
from harness.window import Linear
from ssmd.family import SHIPPED
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO

ROUNDS = 10    # more than a window needs: a verify pass of one block is cheap, and a cut window is drafted again
WINDOWS = [Linear(delta) for delta in (0.125, 0.083, 0.0625, 0.05)]
ARMS = {"": "ssmd_frozen", ".one_block": "ssmd", ".two_blocks": "ssmd_two"}    # of a claim's name
MATCHED = {"": ("ancestral", 32), ".at_24": ("ancestral", 24), ".at_64": ("ancestral", 64), ".same_network": ("ancestral_hybrid", 32)}    # and of whose quality

STUDY = Study(
    name="text_frontier", question=__doc__, data=DEMO.data, reference="heavy",
    nets={name: Checkpoint(str(SHIPPED / f"{name}.safetensors")) for name in ("heavy", "hybrid", "hybrid_two", "hybrid_frozen")},
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[16, 24, 32, 64]), {"main": "heavy"}),
        Arm("ancestral_hybrid", grid(Ancestral, steps=[24, 32]), {"main": "hybrid"}),
        Arm("ssmd", [SelfSpeculative(window, ROUNDS) for window in WINDOWS], {"main": "hybrid"}),
        Arm("ssmd_two", [SelfSpeculative(window, ROUNDS) for window in WINDOWS[:3]], {"main": "hybrid_two"}),
        Arm("ssmd_frozen", [SelfSpeculative(window, ROUNDS) for window in WINDOWS], {"main": "hybrid_frozen"}),
        Arm("fixed_count", [FixedCount(WINDOWS[0])], {"main": "hybrid"}),
        Arm("held_out", [HeldOut()]),
        Arm("shuffled", [Shuffled()]),
    ],
    metrics=DEMO.metrics, n=2048, batch=64)


def claims(store: Store, command: str) -> list[dict]:
    """nfe_ratio.text.{spelling, judge}[.one_block | .two_blocks][.at_24 | .at_64 | .same_network]: passes of ancestral sampling over passes of ssmd at equal quality."""
    made = []
    for (label, better), (hybrid, arm), (where, (name, steps)) in product({"judge": "lower", "spelling": "higher"}.items(), ARMS.items(), MATCHED.items()):
        if name == "ancestral_hybrid" and arm != "ssmd":
            continue    # those blocks are another network's
        claimed, n = f"nfe_ratio.text.{label}{hybrid}{where}", rows(store, name, arm)
        baseline, mine = ([(r, p) for r in done(store, who, n) if (p := point(store, r, label))] for who in (name, arm))
        at = next((p for r, p in baseline if r["cell"]["sampler"]["steps"] == steps), None)
        if at is None or not mine:
            print(f"{claimed}: {name} at {steps} steps or {arm} is not in the store; run the study without --only")
            continue
        found = matched_ratio([p for _, p in baseline], [p for _, p in mine], at.scores, better)
        passes = " and ".join(f"{who} {cost:.1f}" if cost else f"{who} never" for who, cost in ((name, found.baseline_cost), (arm, found.arm_cost)))
        note = f"at {label} {found.quality:.4f}, passes of {passes}" + (f"; {found.reason}" if found.reason else "")
        if found.interval:
            v, keys = found.interval, [r["key"] for r, _ in (*baseline, *mine)]
            made.append(claim(claimed, v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys, note))
        else:
            print(f"{claimed}: no interval, {note}")
    return made
