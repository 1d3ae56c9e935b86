"""Likelihood at equal passes and equal entropy (harness/equal_entropy.py). Claims frontier.judge_at_equal_entropy.ARM.at_STEPS."""

from functools import partial

import numpy as np

from harness.claims import claim
from harness.equal_entropy import at, compared
from harness.points import done, scores
from harness.store import Store

BASELINE, COOLER = "ancestral", "ancestral_cool"


def columns(store: Store, key: str) -> np.ndarray | None:
    """Nats a token and entropy of each row, (n, 2); None if the cell lacks a score by row."""
    found = [scores(store, key, label) for label in ("judge", "sample_entropy")]
    if any(s is None or not len(s.numerator) for s in found):
        return None
    return np.stack([np.asarray(s.numerator) / np.asarray(s.denominator) for s in found], 1)


def claims(store: Store, command: str, arms: list[str], n: int, matched_at: tuple[int, ...]) -> list[dict]:
    """frontier.judge_at_equal_entropy.ARM.at_STEPS for every arm whose points enclose the passes of the baseline at those steps."""
    of = {arm: {r["cell"]["sampler"]["steps"]: r for r in done(store, arm, n)} for arm in (BASELINE, COOLER)}
    made = []
    for arm in arms:
        for steps in matched_at:
            name, records = f"frontier.judge_at_equal_entropy.{arm}.at_{steps}", done(store, arm, n)
            base, cool = (of[a].get(steps) for a in (BASELINE, COOLER))
            rows = at([(r["cost"]["nfe_a"], r["key"]) for r in records], partial(columns, store), base["cost"]["nfe_a"]) if base and cool else None
            if rows is None:
                print(f"{name}: no claim, its points do not enclose the passes of {BASELINE} at {steps} steps")
                continue
            found = compared(rows, *(columns(store, r["key"]) for r in (base, cool)))
            if found is None:
                print(f"{name}: no claim, {COOLER} does not lower the entropy in every resample")
                continue
            (mine, theirs, cooler), (mine_e, theirs_e, cooler_e), v = found.judge, found.entropy, found.nats
            note = (f"at {base['cost']['nfe_a']:.1f} passes; judge {mine:.4f} against {theirs:.4f}, entropy of samples {mine_e - theirs_e:+.3f} nats; "
                    f"{COOLER}: judge {cooler:.4f}, entropy {cooler_e - theirs_e:+.3f}")
            made.append(claim(name, v.value, v.low, v.high, "judge nats per token, paired", n, command, [r["key"] for r in (*records, base, cool)], note))
    return made
