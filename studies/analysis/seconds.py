"""Seconds of unaccelerated sampling over those of the self-speculative sampler in its best order, as the harness timed
them. Claims headline.best.seconds_ratio[.protein | .moses].
"""

from harness.claims.claim import claim
from harness.records.points import done
from harness.records.store import Store
from harness.stats.intervals import time_ratio
from studies.arms import BASELINE, DILATED


def seconds_ratio(name: str, store: Store, command: str, arm: str = DILATED,
                  baseline: str = BASELINE) -> list[dict]:
    """Of one cell each, over pairs of fresh processes; passes of the same cells stand in the note."""
    cells = [r for side in (baseline, arm) for r in done(store, side)]
    times = [{r["process"]: r["seconds"] for r in store.of("timed") if r["key"] == cell["key"] and r["same_output"]}
             for cell in cells]
    if len(cells) != 2 or not (shared := sorted(set.intersection(*(set(side) for side in times)))):
        print(f"{name}: no claim, nothing is timed; run the study without --only and --no-time")
        return []
    v = time_ratio(*([side[process] for process in shared] for side in times))
    first, second = (cell["cost"]["nfe_a"] for cell in cells)
    timed = [r for r in store.of("timed") if r["key"] == cells[0]["key"]]
    note = (f"for {first / second:.2f} times fewer passes (NFE A {first:.1f} and {second:.1f}); {len(shared)} "
            f"processes of one thread, {timed[0]['rows']} rows in one batch, "
            f"others took up to {max(r['busy'] or 0 for r in timed):.0%} of the machine")
    return [claim(name, v.value, v.low, v.high, "seconds / seconds", v.n, command, [cell["key"] for cell in cells],
                  note)]
