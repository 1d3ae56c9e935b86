"""How many rows have a near relative in training: of the test split, of the split that is set apart for it, and by
chance. Claims proteins.leak.{test, near, shuffled}.
"""

import numpy as np
from scipy.stats import binomtest

from harness.claims.claim import claim
from harness.records.points import done, scores
from harness.records.store import Store

LABEL, FROM = "nearest_identity", 0.5
ARMS = {"test": "held_out", "near": "near", "shuffled": "shuffled"}


def leaks(store: Store, command: str) -> list[dict]:
    made = []
    for name, arm in ARMS.items():
        for record in done(store, arm)[:1]:
            if (found := scores(store, record["key"], LABEL)) is None:
                continue
            # (n,) identity with the nearest training protein
            row = np.asarray(found.numerator) / np.asarray(found.denominator)
            test = binomtest(int((row >= FROM).sum()), len(row))
            ends = test.proportion_ci()
            made.append(claim(f"proteins.leak.{name}", test.statistic, ends.low, ends.high, "share of rows", len(row),
                              command, [record["key"]],
                              f"a training protein identical at {FROM:.0%} of the row's residues or more; mean "
                              f"identity {row.mean():.3f}"))
    return made
