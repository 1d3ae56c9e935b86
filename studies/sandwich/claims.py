"""A sandwich of light and heavy steps, or another placement, against all heavy ones, and against its controls at equal
FLOPs.

Claims scheduling.NAME.PLACED_minus_{heavy, middle, fewer_steps, first_hitting}.
"""

from collections.abc import Callable, Sequence

from harness.claims.claim import claim
from harness.records.points import done, rows, scores
from harness.records.store import Store
from harness.stats.intervals import paired_difference
from studies.analysis.domain import scheduling

CONTROLS = ("middle", "fewer_steps", "first_hitting")
UNIT = "judge nats per token, paired"


def claims_of(name: str, placed: str = "sandwich",
              controls: Sequence[str] = CONTROLS) -> Callable[[Store, str], list[dict]]:
    """`placed` is what the arm "scheduled" places."""
    def claims(store: Store, command: str) -> list[dict]:
        return [*_loss(f"scheduling.{name}.{placed}_minus_heavy", store, command),
                *scheduling(name, "judge", UNIT, store, command, controls, placed)]
    return claims


def _loss(claimed: str, store: Store, command: str) -> list[dict]:
    n = rows(store, "scheduled", "heavy")
    if not n:
        print(f"{claimed}: scheduled or heavy is not in the store; run the study without --only")
        return []
    (mine,), (whole,) = done(store, "scheduled", n), done(store, "heavy", n)
    d = paired_difference(*(scores(store, r["key"], "judge") for r in (mine, whole)))
    costs = [r["cost"]["nfe_c"] for r in (mine, whole)]
    note = f"for {1 - costs[0] / costs[1]:.1%} fewer FLOPs: {costs[0]:.2f} passes against {costs[1]:.2f} (convention C)"
    return [claim(claimed, d.value, d.low, d.high, UNIT, d.n, command, [mine["key"], whole["key"]], note)]
