"""What a sweep found against fixed points of its study, as claims: both read from the records, at one number of rows,
on the same rows.

PREFIX.front_hypervolume_gain and PREFIX.front_ahead_of_ARM are those of harness/stats/sample_splitting.py: the front is
chosen on one half of the rows and judged on the other.
"""

from typing import cast

from harness.claims.claim import claim
from harness.records.points import point, rows, scores
from harness.records.store import Store
from harness.search.sweep import Sweep
from harness.spec import to_json
from harness.stats.frontier import Point
from harness.stats.sample_splitting import contest


def sides(store: Store, sweep: Sweep, fixed: str) -> tuple[list[dict], list[dict]]:
    """Records of the search that keep to its band, and those of the arm `fixed`, cheapest first; settings of both
    belong to the arm.
    """
    arms, band, quality = {arm.name: arm for arm in sweep.study.arms}, sweep.constraint, sweep.objectives[0]
    held = arms[fixed]
    settings, n = [(to_json(sampler), held.temperature, held.nucleus, held.nucleus_keep)
                   for sampler in held.points], rows(store, sweep.arm)
    counted = [r for r in store.latest("counted", "key").values() if r["status"] == "done" and r["cell"]["n"] == n
               and r["arm"] in (sweep.arm, fixed, band and band.control)]
    scored = sorted((r for r in counted if scores(store, r["key"], quality)), key=lambda r: r["cost"]["nfe_a"])
    ours = [r for r in scored if _settings(r["cell"]) in settings]
    searched = [r for r in scored if r["arm"] == sweep.arm and r not in ours]
    if band:
        level = next((scores(store, r["key"], band.metric).value for r in counted if r["arm"] == band.control),
                     None)    # type: ignore[union-attr]
        searched = [r for r in searched if level is not None
                    and abs(scores(store, r["key"], band.metric).value
                            - level) <= band.width]    # type: ignore[union-attr]
    return searched, ours


def _settings(cell: dict) -> tuple:
    return cell["sampler"], cell["temperature"], cell.get("nucleus", 1.0), cell.get("nucleus_keep", "crossing")


def front_claims(store: Store, command: str, sweep: Sweep, fixed: str, prefix: str) -> tuple[list[dict], str]:
    """The two claims, or why there are none. The sweep's objectives are a metric and a cost of the rows."""
    (quality, cost), (searched, ours) = sweep.objectives, sides(store, sweep, fixed)
    metric, asked = sweep.labels()[quality], len(next(arm for arm in sweep.study.arms if arm.name == fixed).points)
    if len(ours) < asked or not searched:
        return [], (f"{prefix}.front_hypervolume_gain: no claim, {len(ours)} of {asked} points of {fixed} and "
                    f"{len(searched)} of the search: give `ssmd-bench sweep` for this study")
    # both were scored
    found, held = ([cast(Point, point(store, r, quality, cost)) for r in side] for side in (searched, ours))
    c = contest(found, held, metric.better)
    keys, half = [r["key"] for r in [*(searched[k] for k in c.front),
                                     *ours]], "front chosen on the even rows, judged on the odd"
    made = [claim(f"{prefix}.front_hypervolume_gain", c.gain.value, c.gain.low, c.gain.high,
                  f"{quality} {metric.unit} x ln {cost}", c.gain.n, command, keys,
                  f"{len(c.front)} of {len(searched)} points against the {asked} of {fixed}, which have "
                  f"{c.baseline:.3g}; {half}")]
    if c.ahead:
        made.append(claim(f"{prefix}.front_ahead_of_{fixed}", c.ahead.value, c.ahead.low, c.ahead.high,
                          f"{quality} {metric.unit}, paired", c.ahead.n, command, keys,
                          f"mean over {c.compared} of {asked}, each against the best point at no higher cost, at "
                          f"{c.cost:.2f} of it; {metric.better} is better; {half}"))
    return made, ""
