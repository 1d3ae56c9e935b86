"""Passes of ancestral sampling over those of the self-speculative sampler at equal likelihood. Claims frontier.nfe_ratio.judge, by number of ancestral steps."""

from harness.claims import claim
from harness.frontier import matched_curve, rising
from harness.points import done, point, rows
from harness.store import Store

MATCHED_AT = (8, 16, 32, 64)    # steps of ancestral sampling
MODULES = ("harness.loop", "harness.nets.transformer", "ssmd.model")


def claims(store: Store, command: str) -> list[dict]:
    """frontier.nfe_ratio.judge.{8, 16, 32, 64}: passes of ancestral over passes of ssmd at the likelihood of ancestral sampling in so many steps."""
    n, made = rows(store, "ancestral", "ssmd"), []
    baseline, arm = ([(r, p) for r in done(store, name, n) if (p := point(store, r, "judge"))] for name in ("ancestral", "ssmd"))
    at = {r["cell"]["sampler"]["steps"]: p.scores for r, p in baseline if r["cell"]["sampler"]["steps"] in MATCHED_AT}
    for steps, found in zip(at, matched_curve(*(rising([p for _, p in side], "lower") for side in (baseline, arm)), list(at.values()))):
        if v := found.interval:
            note = f"at judge {found.quality:.4f}, passes of ancestral {found.baseline_cost:.1f} and ssmd {found.arm_cost:.1f}"
            made.append(claim(f"frontier.nfe_ratio.judge.{steps}", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, [r["key"] for r, _ in [*baseline, *arm]], note, MODULES))
        else:
            print(f"frontier.nfe_ratio.judge.{steps}: no interval, {found.reason}")
    return made
