"""Every ablated network against the one it was made from, at equal settings. Claims ablations.NAME_minus_BASE and ablations.NAME_passes, and measures nothing else."""

import sys
from collections.abc import Callable, Mapping

from harness.claims import claim
from harness.frontier import matched_ratio
from harness.points import done, point, rows
from harness.present import present
from harness.spec import to_json
from harness.stats import paired_difference
from harness.store import Store
from harness.study import Study
from harness.window import Cosine
from ssmd.family import SHIPPED
from ssmd.sampler import SelfSpeculative

COMPARED = SelfSpeculative(Cosine(0.083), rounds=10)
MODULES = ("harness.loop", "harness.nets.transformer", "ssmd.model")
BASES = {"hybrid_plain": "hybrid", "hybrid_two": "hybrid", "hybrid_frozen_plain": "hybrid_frozen", "hybrid_frozen_heads": "hybrid_frozen"}    # member -> whose ablation it is
MEMBERS, ABSENT = present(SHIPPED, {name: f"ssmd-bench train {name}" for name in dict.fromkeys([*BASES.values(), *BASES])})


def measure(study: Study, store: Store) -> list[dict]:
    """Nothing; says which networks had no arm."""
    for sentence in ABSENT:
        print(sentence, file=sys.stderr)
    return []


def budget(card: dict | None) -> float:
    """Millions of tokens of training, of all cycles."""
    return (card.get("tokens", 0) / 1e6 + budget(card.get("earlier_cycle"))) if card else 0.0


def claims_of(prefix: str, bases: Mapping[str, str]) -> Callable[[Store, str], list[dict]]:
    """PREFIX.NAME_minus_BASE and PREFIX.NAME_passes of every network that ran beside its base, at the setting COMPARED."""
    def claims(store: Store, command: str) -> list[dict]:
        ran = {r["arm"] for r in store.of("counted")}
        return [row for name, base in bases.items() if {name, base} <= ran for row in _compared(prefix, name, base, store, command)]
    return claims


def _compared(prefix: str, name: str, base: str, store: Store, command: str) -> list[dict]:
    n, cards = rows(store, name, base), {r["name"]: r["card"] for r in store.of("network")}
    sides = [[(r, point(store, r, "judge")) for r in done(store, arm, n)] for arm in (name, base)]
    same = [next(((r, p) for r, p in side if r["cell"]["sampler"] == to_json(COMPARED)), None) for side in sides]
    if None in same:
        print(f"{prefix}.{name}: no claim, {name} or {base} did not run at {COMPARED.window}")
        return []
    note = "trained on " + " and ".join(f"{budget(cards[arm]):.0f} M tokens ({arm})" for arm in (name, base))
    d, keys = paired_difference(*(p.scores for _, p in same)), [r["key"] for side in sides for r, _ in side]
    made = [claim(f"{prefix}.{name}_minus_{base}", d.value, d.low, d.high, "judge nats per token, paired", d.n, command, [r["key"] for r, _ in same],
                  f"both {COMPARED.window}, N = {COMPARED.rounds}; passes {' and '.join(f'{p.cost:.1f}' for _, p in same)}; {note}", MODULES)]
    found = matched_ratio(*([p for _, p in side] for side in sides), same[1][1].scores, "lower")
    if v := found.interval:
        made.append(claim(f"{prefix}.{name}_passes", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys, f"at judge {found.quality:.4f}; {note}", MODULES))
    else:
        print(f"{prefix}.{name}_passes: no interval, {found.reason}")
    return made


claims = claims_of("ablations", BASES)
