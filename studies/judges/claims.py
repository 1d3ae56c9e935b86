"""Agreement of judges on the same samples, and what each says of real and of shuffled text. Claims agreement.{points,
rows}.JUDGE.OTHER, level.{held_out, shuffled}.METRIC.
"""

from harness.claims.claim import claim
from harness.records.points import done, scores
from harness.records.store import Store
from harness.stats.intervals import ratio_interval
from harness.stats.judges import over_points, over_rows, pairs, values

JUDGES, OTHERS = ("judge", "ngram", "smollm2"), ("spelling",)
BETTER = {"spelling": "higher"}    # the others: lower


def claims(store: Store, command: str) -> list[dict]:
    """agreement.points.A.B: over the operating points, controls left out; agreement.rows.A.B: over rows, averaged over
    the points.
    """
    counted = sorted((r for r in store.latest("counted", "key").values() if r["status"] == "done"
                      and not r.get("control")), key=lambda r: r["key"])
    made = []
    for a, b in pairs(JUDGES, OTHERS):
        found = [(r, one, other) for r in counted if (one := scores(store, r["key"], a))
                 and (other := scores(store, r["key"], b))]
        if len(found) < 3:
            print(f"agreement.points.{a}.{b}: no claim, {len(found)} points have both; see docs/judges.md for what a "
                  "judge needs")
            continue
        records, ones, others = ([entry[k] for entry in found] for k in range(3))
        keys, n, better = (
            [r["key"] for r in records],
            records[0]["cell"]["n"],
            tuple(BETTER.get(label, "lower") for label in (a, b)),
        )
        for what, v in (("points", over_points(values(ones), values(others), n, better)),
                        ("rows", over_rows(ones, others, better))):
            made.append(claim(f"agreement.{what}.{a}.{b}", v.value, v.low, v.high, "Spearman's rank correlation", n,
                              command, keys,
                              f"{len(keys)} operating points, chosen and no sample: the interval is of rows"))
    return [*made, *levels(store, command)]


def levels(store: Store, command: str) -> list[dict]:
    """Real text and its characters in random places under each judge; of a metric of the whole set the value is its own
    interval.
    """
    made = []
    for arm in ("held_out", "shuffled"):
        for record in done(store, arm):
            for label in (*JUDGES, "mauve"):
                if (found := scores(store, record["key"], label)) is None:
                    continue
                by_row = len(found.numerator) > 0
                low, high = (
                    ratio_interval(found.numerator, found.denominator)[1:3] if by_row else (found.value, found.value)
                )
                unit, note = ("nats per token of the data", "") if by_row else ("MAUVE", "a number of the whole set, "
                                                                                         "without interval")
                made.append(claim(f"level.{arm}.{label}", found.value, low, high, unit, record["cell"]["n"], command,
                                  [record["key"]], note))
    return made
