"""What is claimed of molecules.

Claims of networks that may be asked for any place (those that write from the left: studies/moses_left):
moses.{validity, fcd, unique}.heavy.any_order of first-hitting sampling, nfe_ratio.moses.{validity, fcd}.any_order
[.dilated | .left_to_right] on one side of quality alone, headline.ssmd.{nfe_ratio, flops_ratio}.moses.any_order on all
three, scheduling.moses.sandwich_minus_{middle, fewer_steps}, and moses.order.{dilated, left_to_right}_minus_uniform.
"""

from harness.claims.claim import claim
from harness.records.points import done, scores
from harness.records.store import Store
from harness.stats.intervals import ratio_interval
from harness.stats.realised import Side
from studies.analysis.domain import scheduling
from studies.analysis.matched import difference, on_all_sides, ratio
from studies.arms import ARM, DILATED

LEFT, GOAL = "ssmd_left_to_right", 32
ORDERS = {"": ARM, ".dilated": DILATED, ".left_to_right": LEFT}
# worse by less counts as not worse
SIDES = [Side("validity", "higher", 0.01), Side("fcd", "lower", 0.1), Side("unique", "higher", 0.01)]
NAMES = {"validity": "validity", "fcd": "fcd", "unique": "unique"}    # of a claim: the label of a score
UNIT = {"validity": "share of rows", "fcd": "squared distance", "unique": "share of molecules"}


def claims(store: Store, command: str) -> list[dict]:
    made = [row for name in NAMES for row in level(f"moses.{name}.heavy.any_order", store, command, name)]
    for name, side in zip(("validity", "fcd"), SIDES):
        for end, arm in ORDERS.items():
            made += ratio(f"nfe_ratio.moses.{name}.any_order{end}", store, command, arm, GOAL, side.label,
                          better=side.better, margin=side.margin)
    for name, cost in (("nfe_ratio", "nfe_a"), ("flops_ratio", "nfe_c")):
        made += on_all_sides(f"headline.ssmd.{name}.moses.any_order", store, command, [ARM], GOAL, SIDES, cost)
    for end, arm in [*ORDERS.items()][1:]:
        pair = [wide(store, arm), wide(store, ARM)]
        made += difference(f"moses.order{end}_minus_uniform", pair, "validity", "share of rows, paired", store, command,
                           "window of a quarter")
    return made + scheduling("moses", "validity", "share of rows, paired", store, command)


def level(name: str, store: Store, command: str, what: str, arm: str = "first_hitting") -> list[dict]:
    """A metric of the one cell of an arm, or of its dearest, or none, and a line that says so."""
    record = next(reversed(done(store, arm)), None)
    found = record and scores(store, record["key"], NAMES[what])
    if record is None or found is None:
        print(f"{name}: no claim, {arm} is not in the store; run the study without --only")
        return []
    v = ratio_interval(found.numerator, found.denominator)
    return [claim(name, v.value, v.low, v.high, UNIT[what], v.n, command, [record["key"]],
                  f"{record['cell']['n']:,} rows")]


def wide(store: Store, arm: str) -> dict | None:
    """The record of an arm in a window of a quarter."""
    return next((r for r in done(store, arm) if r["cell"]["sampler"].get("window") == {"name": "linear",
                                                                                      "delta": 0.25}), None)
