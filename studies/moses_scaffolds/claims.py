"""What is claimed of prompted molecules: nfe_ratio.moses.scaffolds.validity[.dilated | .left_to_right] over ancestral
sampling in 16 steps, worse by no more than .03 of the rows, and moses.scaffolds.{validity, unique}_of_first_hitting.
"""

from harness.records.store import Store
from studies.analysis.matched import ratio
from studies.moses_frontier.claims import ORDERS, level

STEPS, MARGIN = 16, 0.03


def claims(store: Store, command: str) -> list[dict]:
    made = [row for end, arm in ORDERS.items()
            for row in ratio(f"nfe_ratio.moses.scaffolds.validity{end}", store, command, arm, STEPS, "validity",
                             better="higher", margin=MARGIN)]
    return made + [row for label in ("validity", "unique")
                   for row in level(f"moses.scaffolds.{label}_of_first_hitting", store, command, label)]
