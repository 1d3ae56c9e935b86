"""Which parts of the hybrid network carry the gain: the output residual, one causal block or two, one head for both outputs?

Design: the shipped hybrid (5 non-causal blocks + 1 causal, residual, shared head) against members of the family that differ in one part each: hybrid_plain (no residual),
hybrid_two (4 + 2), hybrid_heads (two heads). The same four settings of the self-speculative sampler for all, the same seeds, so that differences are paired.
A member whose checkpoint does not ship has no arm here, and the run says so. Claims, at the third setting: the judge's nats a token, ablated minus hybrid; and the
passes (NFE A) of the ablated over those of the hybrid at the hybrid's likelihood. The budgets of training stand in the notes: unlike budgets make no ablation.
Expected, from arXiv 2510.03929: without the residual the target rejects more and both numbers are worse; 4 + 2 drafts worse, verifies better, and costs two sixths
of a pass a verification. `ssmd-bench run studies/ablations.py --jobs 2 --no-time --claims`: about three minutes a network on two cores.
"""

import sys

from harness.claims import claim
from harness.frontier import matched_ratio
from harness.points import done, point, rows
from harness.present import present
from harness.spec import to_json
from harness.stats import paired_difference
from harness.store import Store
from harness.study import Arm, Checkpoint, Study
from harness.window import Cosine
from ssmd.family import SHIPPED
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO

SETTINGS = [SelfSpeculative(Cosine(delta), rounds) for rounds, delta in ((10, 0.3), (10, 0.16), (10, 0.083), (4, 0.04))]
COMPARED = SETTINGS[2]
MODULES = ("harness.loop", "harness.nets.transformer", "ssmd.model")
OTHERS, ABSENT = present(SHIPPED, {"hybrid_plain": "ssmd-bench train hybrid_plain", "hybrid_two": "ssmd-bench train hybrid_two",
                                   "hybrid_heads": "ssmd-bench train hybrid --set shared_head=false"})
MEMBERS = ["hybrid", *OTHERS]

STUDY = Study(
    name="ablations", question=__doc__, data=DEMO.data, reference="heavy",
    nets={"heavy": DEMO.nets["heavy"]} | {name: Checkpoint(str(SHIPPED / f"{name}.safetensors")) for name in MEMBERS},
    arms=[*(Arm(name, SETTINGS, {"main": name}) for name in MEMBERS), next(arm for arm in DEMO.arms if arm.name == "held_out")],
    metrics=[m for m in DEMO.metrics if m.name in ("judge", "spelling", "sample_entropy")], n=512, batch=64)


def measure(study: Study, store: Store) -> list[dict]:
    """Nothing; says which networks had no arm."""
    for sentence in ABSENT:
        print(sentence, file=sys.stderr)
    return []


def budget(card: dict | None) -> float:
    """Millions of tokens of training, of all cycles."""
    return (card.get("tokens", 0) / 1e6 + budget(card.get("earlier_cycle"))) if card else 0.0


def claims(store: Store, command: str) -> list[dict]:
    """ablations.NAME_minus_hybrid and ablations.NAME_passes of every other network that ran, at the setting COMPARED."""
    made, cards = [], {r["name"]: r["card"] for r in store.of("network")}
    for name in sorted({r["arm"] for r in store.of("counted")} & (cards.keys() - {"hybrid"})):
        n = rows(store, name, "hybrid")
        sides = [[(r, point(store, r, "judge")) for r in done(store, arm, n)] for arm in (name, "hybrid")]
        same = [next((r, p) for r, p in side if r["cell"]["sampler"] == to_json(COMPARED)) for side in sides]
        note = "trained on " + " and ".join(f"{budget(cards[arm]):.0f} M tokens ({arm})" for arm in (name, "hybrid"))
        d, keys = paired_difference(*(p.scores for _, p in same)), [r["key"] for side in sides for r, _ in side]
        made.append(claim(f"ablations.{name}_minus_hybrid", d.value, d.low, d.high, "judge nats per token, paired", d.n, command, [r["key"] for r, _ in same],
                          f"both {COMPARED.window}, N = {COMPARED.rounds}; passes {' and '.join(f'{p.cost:.1f}' for _, p in same)}; {note}", MODULES))
        found = matched_ratio(*([p for _, p in side] for side in sides), same[1][1].scores, "lower")
        if v := found.interval:
            made.append(claim(f"ablations.{name}_passes", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys, f"at judge {found.quality:.4f}; {note}", MODULES))
        else:
            print(f"ablations.{name}_passes: no interval, {found.reason}")
    return made
