"""Likelihood at equal passes and equal entropy: what is left of an arm's gain once the part that low entropy buys is taken off.

Text of lower entropy is likelier under any judge. What entropy buys is read off ancestral sampling itself, at temperature 1 and below, at the same number of steps:
slope = (nats at the lower temperature - nats) / (entropy at the lower temperature - entropy). An arm is read at the passes of the baseline, between its two neighbouring
points in ln(passes), and its gap is (its nats - the baseline's) - slope * (its entropy - the baseline's). Below zero it is better than ancestral sampling of that entropy.

    >>> gap(np.array([[2.4, 2.7, 2.5, 2.75, 2.3, 2.65]]))
    array([0.])
"""

import numpy as np

from harness.claims import claim
from harness.points import done, scores
from harness.stats import interval, resampled_sums
from harness.store import Store

BASELINE, COOLER, RESAMPLES = "ancestral", "ancestral_cool", 2000


def gap(means: np.ndarray) -> np.ndarray:
    """(..., 6) nats and entropy of the arm, of the baseline, of the cooler baseline -> (...)."""
    arm, arm_entropy, base, base_entropy, cool, cool_entropy = np.moveaxis(means, -1, 0)
    return np.round((arm - base) - (cool - base) / (cool_entropy - base_entropy) * (arm_entropy - base_entropy), 12)


def columns(store: Store, key: str) -> np.ndarray | None:
    """Nats a token and entropy of each row, (n, 2); None if the cell lacks a score by row."""
    found = [scores(store, key, label) for label in ("judge", "sample_entropy")]
    if any(s is None or s.numerator is None for s in found):
        return None
    return np.stack([np.asarray(s.numerator) / np.asarray(s.denominator) for s in found], 1)


def at(store: Store, records: list[dict], passes: float) -> np.ndarray | None:
    """The arm's rows at so many passes, (n, 2), between its two neighbouring points; None if none enclose them. Records are sorted by cost."""
    nfe = [r["cost"]["nfe_a"] for r in records]
    for record, cost in zip(records, nfe):
        if abs(cost / passes - 1) < 0.02:
            return columns(store, record["key"])
    above = next((k for k, cost in enumerate(nfe) if cost > passes), 0)
    if not above:
        return None
    share = np.log(passes / nfe[above - 1]) / np.log(nfe[above] / nfe[above - 1])
    low, high = (columns(store, records[k]["key"]) for k in (above - 1, above))
    return None if low is None or high is None else (1 - share) * low + share * high


def claims(store: Store, command: str, arms: list[str], n: int, matched_at: tuple[int, ...]) -> list[dict]:
    """frontier.judge_at_equal_entropy.ARM.at_STEPS for every arm whose points enclose the passes of the baseline at those steps."""
    of = {arm: {r["cell"]["sampler"]["steps"]: r for r in done(store, arm, n)} for arm in (BASELINE, COOLER)}
    made = []
    for arm in arms:
        for steps in matched_at:
            name, records = f"frontier.judge_at_equal_entropy.{arm}.at_{steps}", done(store, arm, n)
            base, cool = (of[a].get(steps) for a in (BASELINE, COOLER))
            rows = at(store, records, base["cost"]["nfe_a"]) if base and cool else None
            if rows is None:
                print(f"{name}: no claim, its points do not enclose the passes of {BASELINE} at {steps} steps")
                continue
            sums = resampled_sums(np.concatenate([rows, *(columns(store, r["key"]) for r in (base, cool))], 1), RESAMPLES, 0)
            if (sums[:, 5] >= sums[:, 3]).any():
                print(f"{name}: no claim, {COOLER} does not lower the entropy in every resample")
                continue
            gaps = gap(sums / n)
            here = interval(gaps[0], gaps[1:], n, 0.95)
            means = sums[0] / n
            note = (f"at {base['cost']['nfe_a']:.1f} passes; judge {means[0]:.4f} against {means[2]:.4f}, entropy of samples {means[1] - means[3]:+.3f} nats; "
                    f"{COOLER}: judge {means[4]:.4f}, entropy {means[5] - means[3]:+.3f}")
            made.append(claim(name, here.value, here.low, here.high, "judge nats per token, paired", n, command, [r["key"] for r in (*records, base, cool)], note))
    return made
