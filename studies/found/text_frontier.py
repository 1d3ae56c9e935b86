"""Passes at equal quality, by two metrics and three hybrids. Claims nfe_ratio.text.{spelling, judge}[.plain | .one_block][.at_24 | .at_64 | .same_network]."""

from itertools import product

from harness.claims import claim
from harness.frontier import matched_ratio
from harness.points import done, point, rows
from harness.store import Store

ARMS = {"": "ssmd_frozen", ".plain": "ssmd_frozen_plain", ".one_block": "ssmd"}    # of a claim's name
MATCHED = {"": ("ancestral", 32), ".at_24": ("ancestral", 24), ".at_64": ("ancestral", 64), ".same_network": ("ancestral_hybrid", 32)}    # and of whose quality


def claims(store: Store, command: str) -> list[dict]:
    """nfe_ratio.text.{spelling, judge}[.plain | .one_block][.at_24 | .at_64 | .same_network]: passes of ancestral sampling over those of ssmd at equal quality."""
    made = []
    for (label, better), (hybrid, arm), (where, (name, steps)) in product({"judge": "lower", "spelling": "higher"}.items(), ARMS.items(), MATCHED.items()):
        if name == "ancestral_hybrid" and arm != "ssmd":
            continue    # those blocks are another network's
        claimed, n = f"nfe_ratio.text.{label}{hybrid}{where}", rows(store, name, arm)
        baseline, mine = ([(r, p) for r in done(store, who, n) if (p := point(store, r, label))] for who in (name, arm))
        at = next((p for r, p in baseline if r["cell"]["sampler"]["steps"] == steps), None)
        if at is None or not mine:
            print(f"{claimed}: {name} at {steps} steps or {arm} is not in the store; run the study without --only")
            continue
        found = matched_ratio([p for _, p in baseline], [p for _, p in mine], at.scores, better)
        passes = " and ".join(f"{who} {cost:.1f}" if cost else f"{who} never" for who, cost in ((name, found.baseline_cost), (arm, found.arm_cost)))
        note = f"at {label} {found.quality:.4f}, passes of {passes}" + (f"; {found.reason}" if found.reason else "")
        if found.interval:
            v, keys = found.interval, [r["key"] for r, _ in (*baseline, *mine)]
            made.append(claim(claimed, v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys, note))
        else:
            print(f"{claimed}: no interval, {note}")
    return made
