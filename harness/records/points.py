"""Reading a store back as points of a frontier, scores of an arm, and intervals: what claims and reports are made of.

One folder may hold an arm at several numbers of rows: early looks of a sweep, a trial run, a run with more rows that
was cut short. They are never mixed: a caller says which n it wants, or gets the largest at which the arm has a finished
cell. Arms that are to be compared need one n, that of `rows`.
"""

import numpy as np

from harness.kinds import Scores
from harness.records.store import Store
from harness.stats.frontier import Point

COSTS = ("nfe_a", "nfe_b", "nfe_c")


def _finished(store: Store, arm: str) -> list[dict]:
    return [r for r in store.latest("counted", "key").values() if r["arm"] == arm and r["status"] == "done"]


def rows(store: Store, *arms: str) -> int:
    """The largest number of rows at which every one of the arms has a finished cell; 0 if there is none."""
    shared = [{r["cell"]["n"] for r in _finished(store, arm)} for arm in arms]
    return max(set.intersection(*shared), default=0)


def done(store: Store, arm: str, n: int | None = None) -> list[dict]:
    """The finished counted records of an arm at n rows (default: the largest it has), the latest of each key, cheapest
    first.
    """
    n = rows(store, arm) if n is None else n
    return sorted((r for r in _finished(store, arm) if r["cell"]["n"] == n), key=lambda r: r["cost"]["nfe_a"])


def scores(store: Store, key: str, label: str) -> Scores | None:
    """The scores of one cell under one metric, by row where there are any; None if it was not scored."""
    record = store.latest("scored", "key", "label").get((key, label))
    if record is None or record["status"] != "done":
        return None
    if record["per"] == "set":
        return Scores(record["value"])
    return Scores(record["value"], *store.get("scores", record["score_key"]))


def point(store: Store, record: dict, label: str, cost: str = "nfe_a") -> Point | None:
    """One finished cell as an operating point; None if it was not scored under `label`."""
    scored = scores(store, record["key"], label)
    if scored is None:
        return None
    costs = store.get("costs", record["key"])[:, COSTS.index(cost)]                # (n,)
    return Point(float(np.mean(costs)), scored, costs)


def points(store: Store, arm: str, label: str, cost: str = "nfe_a", n: int | None = None) -> list[Point]:
    """The operating points of an arm that were scored under `label`."""
    found = (point(store, record, label, cost) for record in done(store, arm, n))
    return [p for p in found if p is not None]
