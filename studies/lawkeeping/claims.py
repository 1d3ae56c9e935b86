"""Fronts of law-keeping combinations against that of plain self-speculative sampling. Claims {lawkeeping.ARM |
best_lawkeeping}.{hypervolume_gain, nfe_ratio}.
"""

from harness.claims.claim import claim
from harness.records.points import done, point, rows
from harness.records.store import Store
from harness.stats.frontier import hypervolume, hypervolume_gain
from harness.stats.realised import Side, matched
from studies.analysis.matched import MARGINS, described, settings

PLAIN, BEST = "plain", "corrected"
NAMES = {"adaptive": "lawkeeping.adaptive", BEST: "best_lawkeeping"}


def claims(store: Store, command: str) -> list[dict]:
    """{lawkeeping.adaptive, best_lawkeeping}.{hypervolume_gain, nfe_ratio}."""
    made = []
    for arm, name in NAMES.items():
        n = rows(store, PLAIN, arm)
        plain, ours = ([(r, p) for r in done(store, who, n) if (p := point(store, r, "judge"))] for who in (PLAIN, arm))
        if not plain or not ours:
            print(f"{name}: {PLAIN} or {arm} is not in the store; run the study without --only")
            continue
        keys, (base, mine) = [r["key"] for r, _ in (*plain, *ours)], ([p for _, p in side] for side in (plain, ours))
        corner = max(p.cost for p in base), max(p.scores.value for p in base)
        area = hypervolume([p.cost for p in base], [p.scores.value for p in base], corner, "lower")
        v = hypervolume_gain(mine, base, corner, "lower")
        made.append(claim(f"{name}.hypervolume_gain", v.value, v.low, v.high, "judge nats per token x ln nfe_a", v.n,
                          command, keys,
                          f"{len(mine)} points of {arm} against {len(base)} of {PLAIN}, which have {area:.3g}; seed "
                          f"{plain[0][0]['cell']['seed']}"))
        sides, (theirs, ours_at) = [Side("judge", "lower",
                                         MARGINS["judge"])], ([*settings(store, who, ["judge"], n).values()]
                                                              for who in (PLAIN, arm))
        goal = theirs[len(theirs) // 2]
        found = matched(goal, ours_at, sides)
        if v := found.ratio:
            made.append(claim(f"{name}.nfe_ratio", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys,
                              described(found, goal, ours_at, sides, "chosen on the even rows, reported on the odd")))
        else:
            print(f"{name}.nfe_ratio: no claim, {found.reason}")
    return made
