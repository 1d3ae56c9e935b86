"""A sandwich of light and heavy steps against all heavy ones, and against its controls at equal FLOPs.

Claims scheduling.NAME.sandwich_minus_{heavy, middle, fewer_steps, first_hitting}.
"""

from collections.abc import Callable

from harness.claims import claim
from harness.points import done, rows, scores
from harness.stats import paired_difference
from harness.store import Store
from studies.found.domain import scheduling

CONTROLS = ("middle", "fewer_steps", "first_hitting")
UNIT = "judge nats per token, paired"


def claims_of(name: str) -> Callable[[Store, str], list[dict]]:
    def claims(store: Store, command: str) -> list[dict]:
        return [*_loss(name, store, command), *scheduling(name, "judge", UNIT, store, command, CONTROLS)]
    return claims


def _loss(name: str, store: Store, command: str) -> list[dict]:
    n, claimed = rows(store, "scheduled", "heavy"), f"scheduling.{name}.sandwich_minus_heavy"
    if not n:
        print(f"{claimed}: scheduled or heavy is not in the store; run the study without --only")
        return []
    (mine,), (whole,) = done(store, "scheduled", n), done(store, "heavy", n)
    d = paired_difference(*(scores(store, r["key"], "judge") for r in (mine, whole)))
    costs = [r["cost"]["nfe_c"] for r in (mine, whole)]
    note = f"for {1 - costs[0] / costs[1]:.1%} fewer FLOPs: {costs[0]:.2f} passes against {costs[1]:.2f} (convention C)"
    return [claim(claimed, d.value, d.low, d.high, UNIT, d.n, command, [mine["key"], whole["key"]], note)]
