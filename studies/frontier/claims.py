"""Likelihood of every arm at the passes of ancestral sampling, claims frontier.judge_at_equal_passes.ARM.at_STEPS; and
what a light network that drafts for the heavy one costs, claim frontier.two_networks_passes.

Both settings were run: nothing is read between two, and an arm without a setting within NEAR of these passes has no
claim. How many passes an arm saves is asked where its settings lie close enough for that, in studies/headline.
"""

from baselines.ancestral import Ancestral
from harness.claims.claim import claim
from harness.records.points import done, rows, scores
from harness.records.store import Store
from harness.spec import brief, from_json
from harness.stats.intervals import paired_difference, ratio_interval

BASELINE, MATCHED_AT = "ancestral", (16, 32)    # steps of ancestral sampling
LETTERS, NEAR = "sample_entropy", 0.10          # share of the passes by which a setting may differ


def leftover(record: dict) -> float:
    """The expected share of tokens that a solver's steps do not reach and a last pass draws."""
    sampler = from_json("step", record["cell"]["sampler"])
    return float(1 - sampler.levels("cpu")[-1]) if isinstance(sampler, Ancestral) else 0.0


def claims(store: Store, command: str) -> list[dict]:
    """frontier.judge_at_equal_passes.ARM.at_{16, 32}: the judge's nats of the arm's setting nearest in passes, minus
    those of ancestral sampling in so many steps; below zero the arm is better. The note holds the difference in passes,
    and in the entropy of letters: what a lower temperature buys shows there, a loss of order does not.
    """
    arms = list(dict.fromkeys(r["arm"] for r in store.latest("counted", "key").values() if r["status"] == "done"
                              and r["cost"]["nfe_a"] > 0))
    n, made = rows(store, BASELINE), []
    for arm in (arm for arm in arms if arm != BASELINE):
        for steps in MATCHED_AT:
            name = f"frontier.judge_at_equal_passes.{arm}.at_{steps}"
            base = next((r for r in done(store, BASELINE, n) if r["cell"]["sampler"]["steps"] == steps), None)
            near = sorted(done(store, arm, n), key=lambda r: abs(r["cost"]["nfe_a"] - base["cost"]["nfe_a"]) if base
                          else 0)
            if base is None or not near or abs(near[0]["cost"]["nfe_a"] / base["cost"]["nfe_a"] - 1) > NEAR:
                print(f"{name}: no claim, no setting of it lies within {NEAR:.0%} of the passes of {BASELINE} in "
                      f"{steps} steps")
                continue
            pair = [near[0], base]
            judged, letters = ([scores(store, r["key"], label) for r in pair] for label in ("judge", LETTERS))
            if None in judged or None in letters:
                print(f"{name}: no claim, it is not scored by the judge")
                continue
            d, left = paired_difference(*judged), leftover(near[0])    # type: ignore[arg-type]
            passes = " against ".join(f"{r['cost']['nfe_a']:.1f}" for r in pair)
            note = (f"{brief(near[0]['cell']['sampler'])}; passes {passes}; entropy of letters "
                    f"{letters[0].value - letters[1].value:+.3f} nats"    # type: ignore[union-attr]
                    + (f"; {left:.1%} of the tokens left to the last pass" if left else ""))
            made.append(claim(name, d.value, d.low, d.high, "judge nats per token, paired", d.n, command,
                              [r["key"] for r in pair], note))
    return made + two_networks(store, command, n)


def two_networks(store: Store, command: str, n: int) -> list[dict]:
    """frontier.two_networks_passes: light_heavy over first_hitting at one token a pass, whose law it keeps to the
    letter.
    """
    mine, one = done(store, "light_heavy", n), [r for r in done(store, "first_hitting", n)
                                                if r["cell"]["sampler"]["tokens"] == 1]
    if not (mine and one):
        print("frontier.two_networks_passes: no claim, light_heavy or first_hitting at one token a pass did not run")
        return []
    keys = [mine[0]["key"], one[0]["key"]]
    v = ratio_interval(*(store.get("costs", key)[:, 0] for key in keys))
    return [claim("frontier.two_networks_passes", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys,
                  "the law is that of the heavy network, one token a pass, for both")]
