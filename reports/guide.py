"""A line to guide the eye: passes of the baseline over those of an arm at equal quality, read on lines between settings
(harness/stats/frontier.py). Nothing claims it.

It has values where the two settings between which each front is read are within 10 % of each other in cost, or where it
is read at a setting; elsewhere the reason stands.
"""

from collections.abc import Sequence

import numpy as np

from harness.stats.frontier import Matched, Point, matched_curve, rising
from harness.stats.realised import Setting

GRID = 13  # qualities, beside those of the baseline's settings


def guide(base: Sequence[Setting], mine: Sequence[Setting], label: str, better: str, resamples: int) -> list[dict]:
    """Rows of kind guide, by NFE A; settings with the cheapest first."""
    if not mine or not base[0].cost < base[-1].cost:
        return []
    front, arm = ([Point(s.cost, s.scores[label], s.costs) for s in side] for side in (base, mine))
    costs = np.array([point.cost for point in front])
    passes = np.unique([*costs, *np.geomspace(costs[0] * (1 + 1e-9), costs[-1] * (1 - 1e-9), GRID)])
    at = dict(zip(quality_at(front, passes, better), passes))  # of the passes at which one quality is reached the last
    found = matched_curve(rising(front, better, resamples), rising(arm, better, resamples), list(at))
    return [{"kind": "guide", "cost": "nfe_a", "passes": p, "setting": "", "key": "", "at_least": False} | _row(m)
            for p, m in zip(at.values(), found)]


def quality_at(points: Sequence[Point], passes: np.ndarray, better: str) -> list[float]:
    """The qualities that the running best of points, the cheapest first, has at these costs within its range."""
    up = 1 if better == "higher" else -1
    best = np.maximum.accumulate([up * point.scores.value for point in points])
    return list(up * np.interp(np.log(passes), np.log([point.cost for point in points]), best))


def _row(m: Matched) -> dict:
    ratio = m.interval.value if m.interval else np.nan
    return {"quality": m.quality, "baseline_cost": m.baseline_cost, "arm_cost": m.arm_cost, "ratio": ratio,
            "low": np.nan, "high": np.nan, "reason": m.reason}
