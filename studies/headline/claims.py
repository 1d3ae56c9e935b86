"""Passes saved in settings that were run, chosen on the rows of studies/dilated and reported on those of
studies/headline.

Claims headline.{ssmd, best, unverified}.nfe_ratio[.at_16 | .at_64], headline.baseline.nfe_ratio, headline.{ssmd,
best}.nfe_ratio.best_baseline, headline.best.flops_ratio and headline.{ssmd, best}.first_drafts_rejected; tpf.* of
studies/headline/tpf.py.

An interval holds the second seed of training too, as far as its networks were sampled (studies/second_seed): it runs
from the lowest end of both seeds to the highest.
"""

from pathlib import Path

from scipy.stats import binomtest

from harness.claims.claim import claim
from harness.records.places import KEPT
from harness.records.points import done, rows
from harness.records.store import Store
from harness.spec import brief
from harness.stats.intervals import Interval
from harness.stats.realised import Realised, Setting, Side, choose, matched, over_seeds, report
from studies.analysis.matched import MARGINS, UNITS, described, of_steps, settings
from studies.headline.tpf import tpf

# runs whose rows chose, and of the second seed of training
SEARCH, SECOND = (Path(__file__).parents[1] / name / KEPT for name in ("dilated", "second_seed"))
GOALS = {"": 32, ".at_16": 16, ".at_64": 64}               # of a claim's name: steps of ancestral sampling
BASELINE, JUDGE = "ancestral", "judge"
TPF = {"ssmd": "ssmd", "best": "ssmd_dilated"}    # of a claim's name: that of its tokens per forward
SPEAKING = {"ssmd": ("ssmd_frozen_long",), "best": ("ssmd_dilated", "ssmd_frozen_long"),
            "unverified": ("fixed_dilated",), "baseline": ("fixed",)}
SIDES = [Side(label, "lower", margin) for label, margin in MARGINS.items() if label == JUDGE
         or label.startswith("ngram_kl")]


class Rows:
    """The settings of one run, by arm."""

    def __init__(self, store: Store, labels: list[str], cost: str = "nfe_a"):
        self.store, self.labels, self.cost = store, labels, cost

    def of(self, *arms: str) -> list[Setting]:
        """Of these arms, cheapest first; the names of settings say whose they are."""
        found = [s for arm in arms for s in settings(self.store, arm, self.labels, rows(self.store, arm),
                                                     self.cost).values()]
        return sorted(found, key=lambda s: s.cost)

    def goal(self, steps: int) -> Setting | None:
        return of_steps(self.store, BASELINE, steps, settings(self.store, BASELINE, self.labels,
                                                              rows(self.store, BASELINE), self.cost))


def realised(search: Rows, fresh: Rows, arms: tuple[str, ...],
             steps: int) -> tuple[Realised, Setting, list[Setting]] | str:
    """What these arms, competing, save against ancestral sampling in so many steps; or why nothing can be said."""
    goal, seen, mine = fresh.goal(steps), search.goal(steps), fresh.of(*arms)
    if goal is None or seen is None or not mine:
        return f"{BASELINE} in {steps} steps, or {' and '.join(arms)}, is not in both runs"
    names = {s.name for s in mine}
    order = choose(seen, [s for s in search.of(*arms) if s.name in names],
                   [side for side in SIDES if side.label in search.labels])
    found = report(goal, mine, order, SIDES)
    return (found, goal, mine) if found.ratio else found.reason


def second(arms: tuple[str, ...], steps: int) -> Realised | None:
    """The same on the networks of the second seed: coarser settings, halves of one run, the judge alone."""
    run = Rows(Store(SECOND), [JUDGE])
    goal, mine = run.goal(steps), run.of(*arms)
    found = matched(goal, mine, [side for side in SIDES if side.label == JUDGE]) if goal and mine else None
    return found if found and found.ratio else None


def keys_of(store: Store, arms: tuple[str, ...], *names: str) -> list[str]:
    return [r["key"] for arm in arms for r in done(store, arm) if brief(r["cell"]["sampler"]) in names]


def claims(store: Store, command: str, search: Path = SEARCH) -> list[dict]:
    made, chose = [], Rows(Store(search), [JUDGE])
    labels, where = [side.label for side in SIDES], ("chosen on the 1,024 rows of studies/dilated, reported on "
                                                     f"{rows(store, BASELINE)} fresh rows")
    for name, arms in SPEAKING.items():
        for end, steps in GOALS.items() if name != "baseline" else [("", 32)]:    # its fresh rows are of that goal
            found = realised(chose, Rows(store, labels), arms, steps)
            if isinstance(found, str):
                print(f"headline.{name}.nfe_ratio{end}: no claim, {found}")
                continue
            best, goal, mine = found
            other = second(arms, steps) if name != "baseline" else None
            keys = keys_of(store, (BASELINE, *arms), goal.name, *(s.name for s in mine))
            note = described(best, goal, mine, SIDES, where)
            made.append(_row(f"headline.{name}.nfe_ratio{end}", best.ratio, other, "nfe_a", command, keys, note))
            if end == "" and name in ("ssmd", "best"):
                made += _further(name, arms, steps, best, goal, chose, store, command, keys)
            if end == "" and name in TPF:
                made += per_forward(store, command, arms, best.setting, TPF[name])
    return made + per_forward(store, command, (BASELINE,), None, BASELINE)


def per_forward(store: Store, command: str, arms: tuple[str, ...], setting: str | None, name: str) -> list[dict]:
    """Tokens per forward of the arms' setting; of ancestral sampling in the steps of the headline, if none is given."""
    for record in (r for arm in arms for r in done(store, arm)):
        sampler = record["cell"]["sampler"]
        if brief(sampler) == setting or not setting and sampler["steps"] == GOALS[""]:
            return tpf(name, store, command, record)
    return []


def _row(name: str, ratio: Interval | None, other: Realised | None, cost: str, command: str, keys: list[str],
         note: str) -> dict:
    assert ratio is not None
    v = over_seeds(ratio, [other.ratio]) if other and other.ratio else ratio
    if other and other.ratio:
        note += (f"; the interval holds the second seed of training: {other.ratio.value:.2f} ({other.ratio.low:.2f} "
                 f"to {other.ratio.high:.2f}), {other.setting}, "
                 f"likelihood alone, {other.ratio.n} rows")
    return claim(name, v.value, v.low, v.high, UNITS[cost], v.n, command, keys, note)


def _further(name: str, arms: tuple[str, ...], steps: int, best: Realised, goal: Setting, chose: Rows, store: Store,
             command: str, keys: list[str]) -> list[dict]:
    """Against the best unaccelerated sampler; in FLOPs; and how often the first draft of a window is rejected."""
    made, labels = [], [side.label for side in SIDES]
    plain = realised(chose, Rows(store, labels), SPEAKING["baseline"], steps)
    if not isinstance(plain, str):
        there, _, theirs = plain
        base = next(s for s in theirs if s.name == there.setting)
        found = report(base, Rows(store, labels).of(*arms), [best.setting], SIDES, goal)
        if found.ratio:
            note = (f"{best.setting} for {base.name}, {base.cost:.2f} passes, the best unaccelerated setting that was "
                    f"run; both not worse than {goal.name}")
            made.append(_row(f"headline.{name}.nfe_ratio.best_baseline", found.ratio, None, "nfe_a", command,
                             [*keys, *keys_of(store, SPEAKING["baseline"], base.name)], note))
    if name == "best":
        flops = Rows(store, labels, "nfe_c")
        found = report(flops.goal(steps), flops.of(*arms), [best.setting], SIDES)    # type: ignore[arg-type]
        note = described(found, flops.goal(steps), flops.of(*arms), SIDES,
                         "passes by convention C; the setting of headline.best.nfe_ratio")    # type: ignore[arg-type]
        made.append(_row("headline.best.flops_ratio", found.ratio, None, "nfe_c", command, keys, note))
    (key,) = keys_of(store, arms, best.setting)
    cost = next(r["cost"] for arm in arms for r in done(store, arm) if r["key"] == key)
    tested, passed = (round(cost[kind]["depth"][0]) for kind in ("tested", "passed"))
    share = binomtest(tested - passed, tested)
    ends = share.proportion_ci()
    note = (f"{best.setting}: the first draft of a window, where draft and target read the same tokens; an exact "
            f"sampler of one joint would reject none. Of {tested} windows")
    return [*made, claim(f"headline.{name}.first_drafts_rejected", share.statistic, ends.low, ends.high,
                         "share of first drafts", len(goal.costs), command, [key], note)]
