"""Whether judges see what an oracle sees: claims hmm.rank_agreement (of the autoregressive judge), .entropy, .mauve;
hmm.transition_kl.ARM.at_16 of every arm in 16 steps, with that of rows of the chain as hmm.transition_kl.held_out.
"""

import numpy as np

from harness.claims.claim import claim
from harness.kinds import Scores
from harness.records.points import done, scores
from harness.records.store import Store
from harness.stats.agreement import ranking, spearman
from harness.stats.intervals import interval, ratio_interval, resampled_sums

STEPS, ORACLE, UNIT = 16, "transition_kl(order=2)", "Spearman's rho over settings"
JUDGES = {"": "judge", ".entropy": "sample_entropy"}
RESAMPLES = 1000


def claims(store: Store, command: str) -> list[dict]:
    every = [r for arm in sorted({r["arm"] for r in store.of("counted")} - {"held_out", "shuffled"})
             for r in done(store, arm)]
    made = [row for end, label in JUDGES.items()
            for row in agreement(f"hmm.rank_agreement{end}", store, command, every, label)]
    made += whole_agreement("hmm.rank_agreement.mauve", store, command, every, "mauve")
    for r in every:
        if r["cell"]["sampler"].get("steps") == STEPS:
            made += level(f"hmm.transition_kl.{r['arm']}.at_{STEPS}", store, command, r)
    return made + [row for arm in ("held_out", "ssmd", "ssmd_dilated", "first_hitting", "any_order")
                   for r in done(store, arm)[:1] for row in level(f"hmm.transition_kl.{arm}", store, command, r)]


def level(name: str, store: Store, command: str, record: dict) -> list[dict]:
    found = scores(store, record["key"], ORACLE)
    if found is None:
        return []
    v = ratio_interval(found.numerator, found.denominator)
    return [claim(name, v.value, v.low, v.high, "nats per token", v.n, command, [record["key"]])]


def agreement(name: str, store: Store, command: str, every: list[dict], label: str) -> list[dict]:
    """Rank correlation of a judge's value with the oracle's over all settings; rows, which all settings share, are
    resampled.
    """
    pairs = scored(name, store, every, label)
    if not pairs:
        return []
    sums = [resampled_sums(np.stack([s.numerator, s.denominator], 1), RESAMPLES, 0) for _, *both in pairs for s in both]
    values = np.stack([part[:, 0] / part[:, 1] for part in sums]).reshape(len(pairs), 2, -1)       # (P, 2, 1 + R)
    found = ranking(spearman(values[:, 0].T, values[:, 1].T))                      # (1 + R,)
    v = interval(float(found[0]), found[1:], pairs[0][0]["cell"]["n"], 0.95)
    return [claim(name, v.value, v.low, v.high, UNIT, len(pairs), command, [r["key"] for r, *_ in pairs],
                  f"{label} against {ORACLE}; {v.n:,} rows a setting, resampled {RESAMPLES:,} times")]


def scored(name: str, store: Store, every: list[dict], label: str) -> list[tuple[dict, Scores, Scores]]:
    """Settings with both values; none, and a line that says so, if they are too few to rank."""
    found = [(r, scores(store, r["key"], label), scores(store, r["key"], ORACLE)) for r in every]
    pairs = [(r, a, b) for r, a, b in found if a is not None and b is not None]
    if len(pairs) < 3:
        print(f"{name}: no claim, fewer than three settings are scored; run the study without --only")
        return []
    return pairs


def whole_agreement(name: str, store: Store, command: str, every: list[dict], label: str) -> list[dict]:
    """The same of a metric of the whole set, the higher the better; settings are resampled."""
    pairs = scored(name, store, every, label)
    if not pairs:
        return []
    values = np.array([[-a.value, b.value] for _, a, b in pairs])                  # (P, 2)
    draws = np.random.default_rng(0).integers(0, len(pairs), (RESAMPLES, len(pairs)))
    draws = np.concatenate((np.arange(len(pairs))[None], draws))                   # (1 + R, P)
    found = ranking(spearman(values[draws, 0], values[draws, 1]))                  # (1 + R,)
    v = interval(float(found[0]), found[1:], len(pairs), 0.95)
    return [claim(name, v.value, v.low, v.high, UNIT, len(pairs), command, [r["key"] for r, *_ in pairs],
                  f"less {label} against {ORACLE}; settings resampled")]
