"""The regression gate: two runs cell by cell, joined on the key.

A cell is compared if it is finished in both, in three tiers (harness/checks/tiers.py): counts, quality, time. Each of
the last two holds many tests, and one in twenty would cry wolf; so a regression there is a test that stays significant
at 5 % among all tests of its tier (Holm, 1979). A cell whose networks or data were built again has another key: it is
missing, not worse. "No regression" is said of the tiers in which everything was decided, and of no other.
"""

from collections import Counter
from typing import NamedTuple

from harness.checks.rules import Rules
from harness.checks.side import Side, likeness, named
from harness.checks.tiers import OUTCOMES, TRIED, UNDECIDED, Verdict, counts, quality, seen, times
from harness.stats.intervals import holm

TIERS = ("counts", "quality", "time")
ENDS = {0: "no regression", 1: "regression", 2: "nothing comparable", 3: "a run failed", 4: "not shown"}    # by code
BUSY = 0.2    # share of the machine that others may take before times are warned of


class Comparison(NamedTuple):
    verdicts: list[Verdict]
    compared: int      # cells finished in both
    only_base: int     # finished in BASE alone, and not failed in NEW
    only_new: int
    notes: list[str]

    @property
    def code(self) -> int:
        """Exit code: 3 if a run failed, else 1 for a regression, 4 for what is undecided and must not be, 2 if nothing
        was comparable, 0.
        """
        failing = {v.outcome for v in self.verdicts if v.fails}
        if failing:
            return 3 if "failed" in failing else 1 if failing - {*UNDECIDED} else 4
        return 0 if self.compared else 2

    @property
    def end(self) -> str:
        """One of ENDS. What passes with something left undecided has not shown that there is no regression."""
        return ENDS[4] if self.code == 0 and self.undecided else ENDS[self.code]

    @property
    def undecided(self) -> dict[str, int]:
        """How many verdicts of each tier are neither a regression nor its absence."""
        found = Counter(v.tier for v in self.verdicts if v.outcome in UNDECIDED)
        return {tier: found[tier] for tier in TIERS if found[tier]}

    @property
    def decided(self) -> list[str]:
        """The tiers in which there are verdicts and every one is a decision."""
        found = {v.tier for v in self.verdicts if v.outcome != "missing"} - {*self.undecided}
        return [tier for tier in TIERS if tier in found]

    def totals(self) -> dict[str, dict[str, int]]:
        """How many verdicts of each outcome a tier has."""
        found = {tier: Counter(v.outcome for v in self.verdicts if v.tier == tier) for tier in TIERS}
        return {tier: {outcome: found[tier][outcome] for outcome in OUTCOMES if found[tier][outcome]} for tier in TIERS}


def compare(base: Side, new: Side, rules: Rules) -> Comparison:
    """Every verdict on two sides, and what was compared. Neither side is changed and nothing is sampled; what cannot be
    compared is a verdict, never an error.
    """
    verdicts: dict[str, list[Verdict]] = {tier: [] for tier in TIERS}
    finished, elsewhere = [{key for key, r in side.counted.items() if r["status"] == "done"} for side in (base, new)]
    rebuilt = {likeness(new.counted[key]) for key in elsewhere - finished}
    failed = {key for key in finished if key in new.counted and new.counted[key]["status"] in ("failed", "timeout")}
    for key in (key for key in base.counted if key in finished):
        old, now, ours = base.counted[key], new.counted.get(key), rules.of(base.counted[key]["arm"])
        if now is not None and key in failed:
            verdicts["counts"].append(Verdict("counts", key, named(old), "", "failed",
                                              f"{now['status']} in NEW: {now['reason']}", True))
        elif now is None or key not in elsewhere:
            why = (
                f"skipped in NEW: {now['reason']}"
                if now
                else "NEW has it with other networks or data"
                if likeness(old) in rebuilt
                else "not in NEW"
            )
            verdicts["counts"].append(Verdict("counts", key, named(old), "", "missing", why, ours.missing == "fail"))
        else:
            verdicts["counts"].append(counts(old, now, ours))
            verdicts["quality"] += quality(base, new, old, ours)
            verdicts["time"] += times(base, new, old, now, ours)
    found = [v for tier in TIERS for v in _together(verdicts[tier])]
    own = {key: rules.of(base.counted[key]["arm"]) for key in finished}
    found = [v._replace(fails=True) if v.outcome in TRIED and _strict(own[v.key], v.tier) else v for v in found]
    notes = [*_notes(base, new, rules), *_busy({"BASE": base, "NEW": new}, {v.key for v in found if v.tier == "time"})]
    return Comparison(found, len(finished & elsewhere), len(finished - elsewhere - failed), len(elsewhere - finished),
                      notes)


def _strict(rules: Rules, tier: str) -> bool:
    """Whether what is undecided in this tier fails."""
    return (rules.inconclusive_time if tier == "time" else rules.inconclusive) == "fail"


def _notes(base: Side, new: Side, rules: Rules) -> list[str]:
    notes = []
    for name, side in (("BASE", base), ("NEW", new)):
        if side.store and side.store.torn:
            notes.append(f"torn lines in {name}, skipped: {side.store.torn}; a writer was killed")
        if side.store and side.store.newer:
            notes.append(f"records in {name} of a newer version of the program, skipped: {side.store.newer}")
    for tier, records in (("quality", "scored"), ("time", "timed")):
        if absent := [name for name, side in (("BASE", base), ("NEW", new)) if not getattr(side, records)]:
            notes.append(f"the {tier} tier was left out: {' and '.join(absent)} "
                         f"{'have' if len(absent) > 1 else 'has'} no {records} records")
    arms = {r["arm"] for side in (base, new) for r in side.counted.values()}
    labels = {label for side in (base, new) for scores in side.scored.values() for label in scores}
    stated = {"margins": {*rules.margins, *(label for own in rules.arms.values() for label in own.get("margins", {}))},
              "arms": {*rules.arms}}
    notes += [f"the rules in {table} for {name!r} met nothing of that name" for table,
              there in (("margins", labels), ("arms", arms)) for name in sorted(stated[table] - there)]
    return notes


def _busy(sides: dict[str, Side], keys: set[str]) -> list[str]:
    """How busy the machine was while the cells were timed, which decides what their times can show."""
    found = {name: [r["busy"] for key in keys for r in side.timed.get(key, []) if r.get("busy") is not None]
             for name, side in sides.items()}
    if not all(found.values()):
        return []
    said = [f"{sum(shares) / len(shares):.0%} in {name} ({min(shares):.0%} to {max(shares):.0%})"
            for name, shares in found.items()]
    advice = "; on a busy machine `ssmd-bench contest` sees more: it times two trees in turns, in CPU seconds too"
    advice = advice if max(map(max, found.values())) > BUSY else ""
    return [f"other work took of the machine while it was timed: {', '.join(said)}{advice}"]


def _together(verdicts: list[Verdict]) -> list[Verdict]:
    """Regressions are the tests that stay significant among all of their tier."""
    tested = [(k, v.p) for k, v in enumerate(verdicts) if v.p is not None]
    found = list(verdicts)
    for (k, p), adjusted in zip(tested, holm([p for _, p in tested])):
        v = verdicts[k]._replace(holm=adjusted)
        if adjusted <= 0.05:
            v = v._replace(outcome="regression", fails=True)
        elif p <= 0.05:
            v = v._replace(detail=f"{v.detail}; worse alone, not among {len(tested)} tests (p = {adjusted:.2g})")
        if v.outcome == "not shown":
            slower = f"a slow-down of {seen(v, len(tested)) - 1:.0%} would have been seen in four comparisons of five"
            v = v._replace(detail=f"{v.detail}; {slower}")
        found[k] = v
    return found
