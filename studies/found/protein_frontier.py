"""Passes at equal likelihood on proteins. Claims nfe_ratio.protein[.at_24 | .at_64]."""

from harness.claims import claim
from harness.frontier import matched_ratio
from harness.points import done, point, rows
from harness.store import Store

BASELINE, ARM, LABEL = "ancestral", "ssmd_frozen", "judge"
MATCHED = {"": 32, ".at_24": 24, ".at_64": 64}    # of a claim's name: steps of ancestral sampling whose quality is matched


def claims(store: Store, command: str) -> list[dict]:
    """nfe_ratio.protein[.at_24 | .at_64]: passes of ancestral sampling over those of ssmd_frozen at equal likelihood under the judge."""
    made, n = [], rows(store, BASELINE, ARM)
    baseline, mine = ([(r, p) for r in done(store, who, n) if (p := point(store, r, LABEL))] for who in (BASELINE, ARM))
    for where, steps in MATCHED.items():
        name, at = f"nfe_ratio.protein{where}", next((p for r, p in baseline if r["cell"]["sampler"]["steps"] == steps), None)
        if at is None or not mine:
            print(f"{name}: {BASELINE} at {steps} steps or {ARM} is not in the store; run the study without --only")
            continue
        found = matched_ratio([p for _, p in baseline], [p for _, p in mine], at.scores, "lower")
        passes = " and ".join(f"{who} {cost:.1f}" if cost else f"{who} never" for who, cost in ((BASELINE, found.baseline_cost), (ARM, found.arm_cost)))
        note = f"at {LABEL} {found.quality:.4f}, passes of {passes}" + (f"; {found.reason}" if found.reason else "")
        if v := found.interval:
            made.append(claim(name, v.value, v.low, v.high, "NFE A / NFE A", v.n, command, [r["key"] for r, _ in (*baseline, *mine)], note))
        else:
            print(f"{name}: no interval, {note}")
    return made
