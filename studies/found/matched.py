"""What ancestral sampling costs over what another arm costs, at the quality that ancestral sampling reaches in so many steps; and one arm against another at equal settings."""

from harness.claims import claim
from harness.frontier import matched_ratio
from harness.points import done, point, rows, scores
from harness.stats import paired_difference
from harness.store import Store

UNITS = {"nfe_a": "NFE A / NFE A", "nfe_c": "FLOPs / FLOPs"}    # convention C is FLOPs over those of the reference's whole forward


def ratio(name: str, store: Store, command: str, arm: str, steps: int, label: str, baseline: str = "ancestral", better: str = "lower",
          cost: str = "nfe_a", at_least: bool = False) -> list[dict]:
    """The claim, or none where the fronts do not reach that quality or an arm did not run, and a line that says so."""
    n = rows(store, baseline, arm)
    base, mine = ([(r, p) for r in done(store, who, n) if (p := point(store, r, label, cost))] for who in (baseline, arm))
    there = next((p for r, p in base if r["cell"]["sampler"]["steps"] == steps), None)
    if there is None or not mine:
        print(f"{name}: {baseline} at {steps} steps or {arm} is not in the store; run the study without --only")
        return []
    fronts = [[p for _, p in side] for side in (base, mine)]
    found = matched_ratio(*fronts, there.scores, better, at_least=at_least)
    passes = " and ".join(f"{who} {spent:.1f}" if spent else f"{who} never" for who, spent in ((baseline, found.baseline_cost), (arm, found.arm_cost)))
    note = f"at {label} {found.quality:.4f}, passes of {passes}" + (f"; {found.reason}" if found.reason else "")
    if at_least and (beyond := matched_ratio(*fronts, there.scores, better).missed - found.missed):
        note += f"; at least: in {beyond} of {found.resamples} resamples the arm is better at its cheapest point, which then counts"
    if (v := found.interval) is None:
        print(f"{name}: no interval, {note}")
        return []
    return [claim(name, v.value, v.low, v.high, UNITS[cost], v.n, command, [r["key"] for r, _ in (*base, *mine)], note)]


def headlines(store: Store, command: str, best: str, steps: int, label: str, suffix: str = "") -> list[dict]:
    """headline.best.nfe_ratio and headline.best.flops_ratio, each with the suffix of its kind of data."""
    return [row for name, cost in (("nfe_ratio", "nfe_a"), ("flops_ratio", "nfe_c"))
            for row in ratio(f"headline.best.{name}{suffix}", store, command, best, steps, label, cost=cost, at_least=True)]


def difference(name: str, pair: list[dict | None], label: str, unit: str, store: Store, command: str, note: str) -> list[dict]:
    """The claim of a counted record minus its partner, row by row, or none where either did not run, and a line that says so."""
    found = [(r, s) for r in pair if r and (s := scores(store, r["key"], label))]
    if len(found) < 2:
        print(f"{name}: no claim, one of the two arms is not in the store; run the study without --only")
        return []
    d, passes = paired_difference(*(s for _, s in found)), " against ".join(f"{r['cost']['nfe_a']:.1f}" for r, _ in found)
    return [claim(name, d.value, d.low, d.high, unit, d.n, command, [r["key"] for r, _ in found], f"{note}; passes {passes}")]
