"""Which step of the window and how many verify rounds buy the most quality a pass? A search over delta x N of the self-speculative sampler, on the shipped hybrid.

Design: 64 points, delta from 0.02 to 0.8 and N from 1 to 32, chosen by TPE for two objectives at once, the judge's likelihood and NFE by convention A (blocks
over blocks). The entropy of samples is held to a band around that of held-out text, so that repetition cannot pass for quality. Rows share seeds, so points
differ by their settings alone. Claim: what more than one verify round is worth at no more than 16 passes. Expected: below zero (better), because a second round
costs one block in six and reveals more of the same window. `ssmd-bench sweep studies/window_sweep.py --jobs 2 --claims`: under an hour on two cores.
"""

from harness.claims import claim
from harness.param import Choice, Range
from harness.points import COSTS, done, scores
from harness.stats import paired_difference
from harness.store import Store
from harness.study import Arm, Study
from harness.sweep import Band, Sweep
from harness.window import Cosine
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO

MOST_PASSES = 16
MODULES = ("harness.loop", "harness.nets.transformer", "ssmd.model")

STUDY = Study(
    name="window_sweep", question=__doc__, data=DEMO.data, nets={k: DEMO.nets[k] for k in ("hybrid", "heavy")}, reference="heavy",
    arms=[Arm("ssmd", [SelfSpeculative(Cosine())], {"main": "hybrid"}), next(arm for arm in DEMO.arms if arm.name == "held_out")],
    metrics=[m for m in DEMO.metrics if m.name in ("judge", "sample_entropy")], n=256, batch=64)

SWEEP = Sweep(STUDY, arm="ssmd", objectives=("judge", "nfe_a"), trials=64, constraint=Band("sample_entropy", width=0.05),
              space={"window": Choice(Cosine()), "window.cosine.delta": Range(0.02, 0.8, log=True), "rounds": Range(1, 32, log=True)})


def claims(store: Store, command: str) -> list[dict]:
    """window_sweep.rounds_worth: judge of the best point with N > 1 minus that of the best with N = 1, at most 16 passes each. Chosen and compared on the same rows."""
    rows = max(r["cell"]["n"] for r in done(store, "ssmd"))
    records = [r for r in done(store, "ssmd") if r["cell"]["n"] == rows and r["cost"][COSTS[0]] <= MOST_PASSES]
    sides = []
    for several in (True, False):
        found = [(scores(store, r["key"], "judge").value, r["key"]) for r in records if (r["cell"]["sampler"]["rounds"] > 1) == several]
        if not found:
            print("window_sweep.rounds_worth: no claim, a side has no point; sweep more trials")
            return []
        sides.append(min(found)[1])
    d = paired_difference(*(scores(store, key, "judge") for key in sides))
    settings = [next(r["cell"]["sampler"] for r in records if r["key"] == key) for key in sides]
    note = " against ".join(f"delta {s['window']['delta']:.3g}, N = {s['rounds']}" for s in settings)
    return [claim("window_sweep.rounds_worth", d.value, d.low, d.high, "judge nats per token, paired", d.n, command, sides, note, modules=MODULES)]
