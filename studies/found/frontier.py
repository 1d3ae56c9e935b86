"""Passes of ancestral sampling over those of every other arm at equal likelihood, claims frontier.nfe_ratio.judge.ARM.at_STEPS; likelihood at equal passes and entropy beside
it (studies/found/equal_entropy.py); and what a light network that drafts for the heavy one costs, claim frontier.two_networks_passes."""

from harness.claims import claim
from harness.frontier import matched_curve, rising
from harness.points import done, point, rows, scores
from harness.spec import from_json
from harness.stats import ratio_interval
from harness.store import Store
from studies.found import equal_entropy

BASELINE, MATCHED_AT = "ancestral", (16, 32)    # steps of ancestral sampling
ENTROPY = "sample_entropy"


def leftover(record: dict) -> float:
    """The expected share of tokens that a solver's steps do not reach and a last pass draws."""
    sampler = from_json("step", record["cell"]["sampler"])
    return float(1 - sampler.levels("cpu")[-1]) if hasattr(sampler, "levels") else 0.0


def claims(store: Store, command: str) -> list[dict]:
    """frontier.nfe_ratio.judge.ARM.at_{16, 32}: passes of ancestral over passes of the arm at the likelihood of ancestral sampling in so many steps. The note holds
    the entropy of the arm's samples at its nearest point minus that of the baseline: a likelihood bought with entropy shows there."""
    arms = list(dict.fromkeys(r["arm"] for r in store.latest("counted", "key").values() if r["status"] == "done" and r["cost"]["nfe_a"] > 0))
    n, made = rows(store, BASELINE), []
    sides = {arm: found for arm in arms if (found := [(r, p) for r in done(store, arm, n) if (p := point(store, r, "judge"))])}
    if BASELINE not in sides:
        print(f"frontier.nfe_ratio.judge: no claim, {BASELINE} is not scored by the judge")
        return []
    base = sides.pop(BASELINE)
    at = {r["cell"]["sampler"]["steps"]: (r, p) for r, p in base if r["cell"]["sampler"]["steps"] in MATCHED_AT}
    front = rising([p for _, p in base], "lower")
    for arm, side in sides.items():
        for (steps, (there, goal)), found in zip(at.items(), matched_curve(front, rising([p for _, p in side], "lower"), [p.scores for _, p in at.values()])):
            name = f"frontier.nfe_ratio.judge.{arm}.at_{steps}"
            if v := found.interval:
                nearest, _ = min(side, key=lambda rp: abs(rp[1].scores.value - goal.scores.value))
                entropy = [scores(store, r["key"], ENTROPY).value for r in (nearest, there)]
                left = leftover(nearest)
                note = (f"at judge {found.quality:.4f}, passes of {BASELINE} {found.baseline_cost:.1f} and {arm} {found.arm_cost:.1f}; "
                        f"entropy of samples {entropy[0] - entropy[1]:+.3f} nats" + (f"; {left:.1%} of the tokens left to the last pass" if left else ""))
                made.append(claim(name, v.value, v.low, v.high, "NFE A / NFE A", v.n, command, [r["key"] for r, _ in [*base, *side]], note))
            else:
                print(f"{name}: no interval, {found.reason}")
    return made + two_networks(store, command, n) + equal_entropy.claims(store, command, [arm for arm in sides if arm != equal_entropy.COOLER], n, MATCHED_AT)


def two_networks(store: Store, command: str, n: int) -> list[dict]:
    """frontier.two_networks_passes: light_heavy over first_hitting at one token a pass, whose law it keeps to the letter."""
    mine, one = done(store, "light_heavy", n), [r for r in done(store, "first_hitting", n) if r["cell"]["sampler"]["tokens"] == 1]
    if not (mine and one):
        print("frontier.two_networks_passes: no claim, light_heavy or first_hitting at one token a pass did not run")
        return []
    keys = [mine[0]["key"], one[0]["key"]]
    v = ratio_interval(*(store.get("costs", key)[:, 0] for key in keys))
    return [claim("frontier.two_networks_passes", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys, "the law is that of the heavy network, one token a pass, for both")]
