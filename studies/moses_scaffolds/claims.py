"""What is claimed of prompted molecules: nfe_ratio.moses.scaffolds.validity[.left_to_right] over ancestral sampling in
8 steps, worse by no more than .03 of the rows; moses.scaffolds.verified_minus_plain.{few, more}, valid rows at about
equal passes; and moses.scaffolds.{validity, unique}_of_first_hitting.
"""

from harness.records.points import done
from harness.records.store import Store
from studies.analysis.matched import difference, ratio
from studies.arms import ARM, BASELINE
from studies.moses_frontier.claims import LEFT, level

STEPS, MARGIN = 8, 0.03
PAIRS = {"few": (0.0625, 4), "more": (0.03, 8)}    # of a claim's name: a window, and steps of about as many passes


def claims(store: Store, command: str) -> list[dict]:
    made = [row for end, arm in (("", ARM), (".left_to_right", LEFT))
            for row in ratio(f"nfe_ratio.moses.scaffolds.validity{end}", store, command, arm, STEPS, "validity",
                             better="higher", margin=MARGIN)]
    for end, (delta, steps) in PAIRS.items():
        pair = [next((r for r in done(store, arm) if asked(r["cell"]["sampler"])), None) for arm, asked in (
            (ARM, lambda sampler, delta=delta: sampler["window"].get("delta") == delta),
            (BASELINE, lambda sampler, steps=steps: sampler["steps"] == steps))]
        made += difference(f"moses.scaffolds.verified_minus_plain.{end}", pair, "validity", "share of rows, paired",
                           store, command, f"windows of {delta} against {steps} steps")
    return made + [row for label in ("validity", "unique")
                   for row in level(f"moses.scaffolds.{label}_of_first_hitting", store, command, label)]
