"""The search against the six published settings, and what further verify rounds are worth. Claims window.front_* and
window_sweep.rounds_worth.
"""

from harness.claims.claim import claim
from harness.records.points import scores
from harness.records.store import Store
from harness.search.sweep import Sweep
from harness.stats.intervals import paired_difference
from studies.analysis.swept_front import front_claims, sides

MOST_PASSES = 16


def rounds_worth(store: Store, command: str, sweep: Sweep) -> list[dict]:
    """The best point with N > 1 minus the best with N = 1, at most 16 passes each. Chosen and compared on the same
    rows.
    """
    cheap, best = [r for side in sides(store, sweep, "published") for r in side
                   if r["cost"]["nfe_a"] <= MOST_PASSES], []
    for several in (True, False):
        side = [r for r in cheap if (r["cell"]["sampler"]["rounds"] > 1) == several]
        if not side:
            print("window_sweep.rounds_worth: no claim, a side has no point; sweep more trials")
            return []
        best.append(min(side, key=lambda r: scores(store, r["key"], "judge").value))
    d = paired_difference(*(scores(store, r["key"], "judge") for r in best))
    note = " against ".join(f"{s['window']['name']} {s['window']['delta']:.3g}, N = {s['rounds']}"
                            for s in (r["cell"]["sampler"] for r in best))
    return [claim("window_sweep.rounds_worth", d.value, d.low, d.high, "judge nats per token, paired", d.n, command,
                  [r["key"] for r in best], note)]


def claims(store: Store, command: str, sweep: Sweep) -> list[dict]:
    """window_sweep.rounds_worth, window.front_hypervolume_gain and window.front_ahead_of_published."""
    made, reason = front_claims(store, command, sweep, "published", "window")
    if reason:
        print(reason)
    return rounds_worth(store, command, sweep) + made
