"""Claims moses.{ordered, any_order}.{validity, fcd} from left to right, and moses.ordered_minus_any_order of validity,
by pairs of rows.
"""

from harness.records.points import done
from harness.records.store import Store
from studies.analysis.matched import difference
from studies.moses_frontier.claims import level

ARMS = ("ordered", "any_order")


def claims(store: Store, command: str) -> list[dict]:
    made = [row for arm in ARMS for what in ("validity", "fcd")
            for row in level(f"moses.{arm}.{what}", store, command, what, arm)]
    pair = [next(iter(done(store, arm)), None) for arm in ARMS]
    return made + difference("moses.ordered_minus_any_order", pair, "validity", "share of rows, paired", store, command,
                             "both write one character a pass from left to right")
