"""Searched time grids against the linear one, at equal steps on equal rows. Claims time_grids.{information,
jump_your_steps}_minus_linear.
"""

from pathlib import Path

from harness.claims.claim import claim
from harness.records.points import done, rows, scores
from harness.records.store import Store
from harness.search import time_grid as grid
from harness.stats.intervals import paired_difference

STEPS, SEARCHED = 16, ("information", "jump_your_steps")
FILE = Path(__file__).with_name("grids.json")


def claims(store: Store, command: str) -> list[dict]:
    """time_grids.{information, jump_your_steps}_minus_linear: judge NLL at 16 steps, paired; below zero the searched
    grid is better.
    """
    searches = {(g.by, g.steps): g.passes for g in grid.searches(FILE)}
    n, made = rows(store, "linear", *SEARCHED), []
    at = {(arm, r["cell"]["sampler"]["steps"]): r for arm in ("linear", *SEARCHED) for r in done(store, arm, n)}
    for arm in SEARCHED:
        sides = [at.get((who, STEPS)) for who in (arm, "linear")]
        nll = [scores(store, r["key"], "judge") for r in sides if r]
        if len(nll) < 2 or None in nll:
            print(f"time_grids.{arm}_minus_linear: no claim, {STEPS} steps of {arm} or linear are not scored; run the "
                  "study without --only")
            continue
        d, (mine, base) = paired_difference(*nll), (r["cost"]["nfe_a"] for r in sides)
        made.append(claim(f"time_grids.{arm}_minus_linear", d.value, d.low, d.high, "judge nats per token, paired", d.n,
                          command, [r["key"] for r in sides],
                          f"{STEPS} steps, {mine:.2f} against {base:.2f} passes; the search took "
                          f"{searches[arm, STEPS]} passes of one row"))
    return made
