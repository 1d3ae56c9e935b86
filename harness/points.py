"""Reading a store back as points of a frontier, scores of an arm, and intervals: what claims and reports are made of."""

import numpy as np

from harness.frontier import Point
from harness.kinds import Scores
from harness.store import Store

COSTS = ("nfe_a", "nfe_b", "nfe_c")


def done(store: Store, arm: str) -> list[dict]:
    """The finished counted records of an arm, the latest of each key, cheapest first."""
    found = [r for r in store.latest("counted", "key").values() if r["arm"] == arm and r["status"] == "done"]
    return sorted(found, key=lambda r: r["cost"]["nfe_a"])


def scores(store: Store, key: str, label: str) -> Scores | None:
    """The scores of one cell under one metric, by row where there are any; None if it was not scored."""
    record = store.latest("scored", "key", "label").get((key, label))
    if record is None or record["status"] != "done":
        return None
    if record["per"] == "set":
        return Scores(record["value"])
    return Scores(record["value"], *store.get("scores", record["score_key"]))


def points(store: Store, arm: str, label: str, cost: str = "nfe_a") -> list[Point]:
    """The operating points of an arm that were scored under `label`."""
    found = []
    for record in done(store, arm):
        scored = scores(store, record["key"], label)
        if scored is not None:
            rows = store.get("costs", record["key"])[:, COSTS.index(cost)]
            found.append(Point(float(np.mean(rows)), scored, rows))
    return found
