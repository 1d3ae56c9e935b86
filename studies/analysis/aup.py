"""AUP of arms against each other: the area under quality, in percent, against tokens per denoise pass (d3LLM's measure,
harness/stats/aup.py).

y_max is the best quality of all the arms that are named, and is written into each claim: another arm in the list is
another y_max, and other numbers.
"""

from collections.abc import Mapping

import numpy as np

from harness.claims.claim import claim
from harness.records.points import COSTS, done, scores
from harness.records.store import Store
from harness.stats.aup import Setting, aup, aup_interval


def claims(store: Store, command: str, name: str, arms: Mapping[str, str], label: str) -> list[dict]:
    """Claims NAME.WORD for each word and arm. label: a share, better if higher, that was scored by row."""
    known = {word: settings(store, arm, label) for word, arm in arms.items()}
    points = {word: [point for _, _, point in found] for word, found in known.items()}
    y_max = max(y for found in points.values() for _, y in found)
    made = []
    for word, found in known.items():
        v, whole = aup_interval([setting for _, setting, _ in found], y_max), aup(points[word], y_max)
        dropped = f"; left out, more than 5 below the first: {len(whole.dropped)}" if whole.dropped else ""
        made.append(claim(f"{name}.{word}", v.value, v.low, v.high, "percent x tokens / denoise pass", v.n, command,
                          [record["key"] for record, *_ in found],
                          f"{arms[word]}, {label} in percent, y_max {y_max:.4g} of {', '.join(arms.values())}; "
                          f"{len(whole.points)} settings{dropped}"))
    return made


def settings(store: Store, arm: str, label: str) -> list[tuple[dict, Setting, tuple[float, float]]]:
    """Of each finished cell its record, its rows, and (TPF, quality in percent)."""
    made = []
    for record in done(store, arm):
        found = scores(store, record["key"], label)
        if found is None:
            continue
        passes = store.get("costs", record["key"])[:, COSTS.index("nfe_b")]        # (n,)
        tokens = np.full(len(passes), record["cost"]["tokens"] / len(passes))      # (n,)
        rows = Setting(tokens, passes, np.asarray(found.numerator, float), np.asarray(found.denominator, float))
        made.append((record, rows, (float(tokens.sum() / passes.sum()), 100 * found.value)))
    return made
