"""The verdicts of the gate on one cell: its counts, its metrics, its times.

    counts     calls, passes, FLOPs and tokens are equal, or within a declared tolerance
    quality    every metric scored by row: NEW - BASE lies within -margin..margin by two one-sided tests (Schuirmann,
               1987), or is shown not to be worse than that ("better"), or neither ("inconclusive")
    time       NEW over BASE on one machine, process i beside process i: the lower 95 % bound of the ratio is above the
               threshold, or the upper one below it ("equal"), or neither ("not shown")

Intervals are of 90 %, so that either end is a bound of 95 %. A test that is worse than its bound beyond doubt is
undecided here: harness/checks/gate.py makes regressions of those that stay so among all tests of the tier.
"""

from math import exp, log
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from harness.checks.rules import Rules
from harness.checks.side import Side, changes, named
from harness.kinds import Scores
from harness.records.machine import comparable
from harness.records.provenance import alike
from harness.stats.intervals import (
    FEWEST_PROCESSES,
    Interval,
    equivalent,
    paired_difference,
    time_ratio,
    unpaired_difference,
)

OUTCOMES = ("failed", "regression", "missing", "inconclusive", "not shown", "declared", "samples differ",
            "too few processes", "not comparable", "better", "equal")    # gravest first
TRIED = ("inconclusive", "not shown")    # tried, and neither a regression nor its absence: the rules say what it does
UNDECIDED = (*TRIED, "too few processes", "not comparable")
LEVEL = 0.90


class Verdict(NamedTuple):
    tier: str
    key: str
    cell: str
    what: str                       # the metric; nothing of counts and times
    outcome: str                    # one of OUTCOMES
    detail: str = ""
    fails: bool = False             # what the exit code follows
    value: float | None = None      # NEW - BASE of a metric, NEW / BASE of times
    low: float | None = None        # 90 %
    high: float | None = None
    bound: float | None = None      # margin, or threshold
    n: int | None = None            # rows, or processes
    p: float | None = None          # of "not worse than the bound", this test alone
    holm: float | None = None       # the same among all tests of the tier


def counts(old: dict, now: dict, rules: Rules) -> Verdict:
    """Of two finished records of one key."""
    changed = changes(old["cost"], now["cost"])
    beyond = [c for c in changed if abs(c.now - c.before) > rules.tolerance_of(c.of) * abs(c.before)]
    differ = old["samples_sha256"] != now["samples_sha256"]
    machine = "machine" in old and "machine" in now and comparable({"id": old["machine"]}, {"id": now["machine"]})
    code = alike(old.get("made"), now.get("made"))
    must = {"always": True, "never": False, "same-machine": machine, "same-environment": machine
            and code}[rules.samples]
    detail = "; ".join([*map(str, changed), *(["samples differ" + (f", where the rule is {rules.samples!r}" if must
                                                                   else "")] if differ else [])])
    outcome = (
        "regression"
        if beyond or differ and must
        else "declared"
        if changed
        else "samples differ"
        if differ
        else "equal"
    )
    return Verdict("counts", old["key"], named(old), "", outcome, detail, outcome == "regression")


def quality(base: Side, new: Side, old: dict, rules: Rules) -> list[Verdict]:
    """One for each metric that BASE has scored by row; none if either side has no scores at all. What keeps two scores
    from being compared is in the detail.
    """
    if not base.scored or not new.scored:
        return []
    found, key, theirs = [], old["key"], new.scored.get(old["key"], {})
    for label, before in base.scored.get(key, {}).items():
        if before["status"] != "done" or before["per"] != "row":
            continue
        blank, now = Verdict("quality", key, named(old), label, "not comparable"), theirs.get(label)
        if now is None:
            found.append(blank._replace(detail="not scored in NEW"))
        elif now["status"] != "done":
            found.append(blank._replace(outcome="failed", detail=f"not scored in NEW: {now['reason']}", fails=True))
        elif (_metric(before), before["better"], before["per"]) != (_metric(now), now["better"], now["per"]):
            found.append(blank._replace(detail="scored by unlike metrics: rescore one of the runs"))
        elif not (margin := rules.margin_of(label, before["value"])):
            found.append(blank._replace(detail="no margin, BASE is 0: state one under [margins]"))
        else:
            try:
                found.append(_scored(_table(base, before), _table(new, now), before, margin, blank))
            except ValueError as error:
                found.append(blank._replace(detail=str(error)))
    return found


def _metric(record: dict) -> dict:
    """What decides a score, without the place of a checkpoint."""
    return record["metric"].get("identity", record["metric"])


def _table(side: Side, record: dict) -> np.ndarray:
    """(2, n) numerators and denominators."""
    assert side.store is not None, "scores come with a store"
    table = side.store.get("scores", record["score_key"])
    if table.ndim != 2 or len(table) != 2:
        raise ValueError(f"{side.name}: the scores of {record['score_key']} are damaged: score the run again")
    return table


def _scored(before: np.ndarray, now: np.ndarray, record: dict, margin: float, blank: Verdict) -> Verdict:
    """before, now (2, n)."""
    paired, better = before.shape == now.shape, record["better"]
    if np.array_equal(before, now):
        # not a test: it cannot be a false alarm
        return blank._replace(outcome="equal", value=0.0, low=0.0, high=0.0, bound=margin, n=before.shape[1])
    found = (paired_difference if paired else unpaired_difference)(Scores(0.0, *now), Scores(0.0, *before), level=LEVEL)
    worse = _mirrored(found) if better == "higher" else found    # upwards is worse
    p = _beyond(worse, margin)
    if better == "match":                                        # either way is worse
        p = min(1.0, 2 * min(p, _beyond(_mirrored(found), margin)))
    outcome = (
        "equal"
        if equivalent(found, margin)
        else "better"
        if better != "match" and worse.high < margin
        else "inconclusive"
    )
    detail = (f"{found.value:+.4g} ({found.low:+.4g} to {found.high:+.4g}), margin {margin:.4g}, {better} is "
              f"better{'' if paired else ', rows not paired'}")
    return blank._replace(outcome=outcome, detail=detail, value=found.value, low=found.low, high=found.high,
                          bound=margin, n=found.n, p=p)


def times(base: Side, new: Side, old: dict, now: dict, rules: Rules) -> list[Verdict]:
    """One if BASE has timed the cell by the code that counted it, else none; none either if NEW has no times at all."""
    key, blank = old["key"], Verdict("time", old["key"], named(old), "", "not comparable")
    if not base.timed or not new.timed or not (ours := _processes(base.timed.get(key, []), old)):
        return []
    theirs = _processes(new.timed.get(key, []), now)
    pairs = [(a, b) for at, a in ours.items() for there, b in theirs.items()
             if comparable({"id": at[0]}, {"id": there[0]}) and at[1] == there[1]]
    if not pairs:
        machines = any(comparable({"id": at[0]}, {"id": there[0]}) for at in ours for there in theirs)
        return [blank._replace(detail="times of unlike numbers of rows" if machines else "times of other machines"
                               if theirs else "not timed in NEW")]
    a, b = max(pairs, key=lambda pair: len(pair[0].keys() & pair[1].keys()))
    shared = sorted(a.keys() & b.keys())
    if len(shared) < FEWEST_PROCESSES:
        return [blank._replace(outcome="too few processes",
                               detail=f"{len(shared)} processes timed on both sides, {FEWEST_PROCESSES} are needed",
                               n=len(shared))]
    try:
        found = time_ratio([b[k]["seconds"] for k in shared], [a[k]["seconds"] for k in shared], LEVEL)
    except ValueError as error:
        return [blank._replace(detail=str(error))]
    bound = rules.time_ratio
    p = _beyond(Interval(log(found.value), log(found.low), log(found.high), found.n, LEVEL), log(bound))
    outcome = "better" if found.high < 1 / bound else "equal" if found.high < bound else "not shown"
    detail = (f"{found.value:.3f} times as long ({found.low:.3f} to {found.high:.3f}), threshold "
              f"{bound:g}{'' if _interleaved(a, b) else ', not interleaved'}")
    return [blank._replace(outcome=outcome, detail=detail, value=found.value, low=found.low, high=found.high,
                           bound=bound, n=found.n, p=p)]


def seen(verdict: Verdict, tests: int, power: float = 0.8) -> float:
    """The ratio of times that comparisons of this noise find with this power, if one of so many tests is slower."""
    assert verdict.value and verdict.low and verdict.bound and verdict.n, "times were compared"
    df, half = verdict.n - 1, log(verdict.value / verdict.low)
    error = half / stdtrit(df, 0.5 + LEVEL / 2)
    return verdict.bound * exp(error * (stdtrit(df, 1 - 0.05 / tests) + stdtrit(df, power)))


def _processes(records: list[dict], counted: dict) -> dict[tuple, dict[int, dict]]:
    """The timed processes of a cell by machine and what they ran; those that wrote other samples are left out."""
    found: dict[tuple, dict[int, dict]] = {}
    for r in records:
        if r.get("samples_sha256") in (None, counted.get("samples_sha256")):
            found.setdefault((r["machine"], (r["rows"], r.get("batch"))), {})[r["process"]] = r
    return found


def _interleaved(a: dict[int, dict], b: dict[int, dict]) -> bool:
    """Whether neither side was timed wholly before the other; records without a time do not say."""
    ours, theirs = ([str(r.get("time", "")) for r in side.values()] for side in (a, b))
    return min(ours) <= max(theirs) and min(theirs) <= max(ours)


def _mirrored(found: Interval) -> Interval:
    return found._replace(value=-found.value, low=-found.high, high=-found.low)


def _beyond(found: Interval, bound: float) -> float:
    """One-sided p-value of "the truth is at most the bound": Student's law with n - 1 degrees of freedom, its scale
    that of the interval's lower half.

    It is 5 % where the lower end touches the bound, and has no floor, as the share of resamples would: Holm's
    correction of many tests asks for far smaller ones.
    """
    if found.value <= bound:
        return 1.0
    half = found.value - found.low
    return (
        float(stdtr(found.n - 1, -stdtrit(found.n - 1, 0.5 + found.level / 2) * (found.value - bound) / half))
        if half > 0
        else 0.0
    )
