"""What ancestral sampling costs over what another arm costs, at the quality that ancestral sampling reaches in so many
steps; and one arm against another at equal settings.

A ratio is realised (harness/stats/realised.py): of a setting that was run and is not worse at a stated margin. It is
chosen on even rows and reported on odd ones; studies/headline has fresh rows for that.
"""

from collections.abc import Sequence

from harness.claims.claim import claim
from harness.records.points import done, point, rows, scores
from harness.records.store import Store
from harness.spec import brief
from harness.stats.intervals import paired_difference
from harness.stats.realised import Realised, Setting, Side, matched

# convention C is FLOPs over those of the reference's whole forward
UNITS = {"nfe_a": "NFE A / NFE A", "nfe_c": "FLOPs / FLOPs"}
APART = 1.10    # settings further apart in cost leave room for one between them: the ratio is then a lower bound
# Worse by less counts as not worse: a sixth of what ancestral sampling gains on text from 32 to 64 steps, in nats a
# token, or a third in the share of words
MARGINS = {
    "judge": 0.02, "ngram": 0.03, "exact_nll": 0.003, "spelling": 0.01,
    "ngram_kl(direction=forward,order=3,split=judge)": 0.01, "ngram_kl(direction=reverse,order=3,split=judge)": 0.01,
}


def settings(store: Store, arm: str, labels: Sequence[str], n: int, cost: str = "nfe_a") -> dict[str, Setting]:
    """The settings of an arm at n rows that are scored under all these labels, by key, cheapest first."""
    found = {}
    for record in done(store, arm, n):
        points = {label: p for label in labels if (p := point(store, record, label, cost))}
        if len(points) == len(labels):
            found[record["key"]] = Setting(brief(record["cell"]["sampler"]), points[labels[0]].costs,
                                           {label: p.scores for label, p in points.items()})
    return found


def of_steps(store: Store, baseline: str, steps: int, known: dict[str, Setting], unit: str = "steps") -> Setting | None:
    """The baseline in so many steps, or at so many tokens a pass."""
    keys = [r["key"] for r in store.latest("counted", "key").values() if r["arm"] == baseline and r["key"] in known
            and r["cell"]["sampler"].get(unit) == steps]
    return known[keys[0]] if keys else None


def described(found: Realised, goal: Setting, mine: Sequence[Setting], sides: Sequence[Side], where: str) -> str:
    """What was realised, at which margin, on which rows, and what is next."""
    best, next_ = (next(s for s in mine if s.name == name) for name in (found.setting, found.cheaper))
    held = [(side, found.excess[side.label]) for side in sides]
    worse = "; ".join(f"{side.label} worse by {e.value:.4f} ({e.low:.4f} to {e.high:.4f}), margin {side.margin:g}"
                      for side, e in held)
    further = "" if next_ is best else f"; not shown to be worse: {next_.name}, {next_.cost:.2f} passes"
    cheaper = max((s.cost for s in mine if s.cost < best.cost), default=0.0)    # of the settings that were run
    edge = (f"; {f'the next cheaper that was run takes {cheaper:.2f}' if cheaper else 'the cheapest that was run'}, so "
            "at least") if cheaper < best.cost / APART else ""
    return f"{best.name}, {best.cost:.2f} passes, for {goal.name}, {goal.cost:.2f}: {worse}; {where}{further}{edge}"


def ratio(name: str, store: Store, command: str, arm: str, steps: int, label: str, baseline: str = "ancestral",
          better: str = "lower",
          cost: str = "nfe_a", margin: float | None = None, unit: str = "steps") -> list[dict]:
    """The claim, or none where no setting is shown to be no worse or an arm did not run, and a line that says so."""
    n = rows(store, baseline, arm)
    base, mine = (settings(store, who, [label], n, cost) for who in (baseline, arm))
    goal = of_steps(store, baseline, steps, base, unit)
    if goal is None or not mine:
        print(f"{name}: {baseline} at {steps} {unit} or {arm} is not in the store; run the study without --only")
        return []
    sides = [Side(label, better, MARGINS[label] if margin is None else margin)]
    found = matched(goal, [*mine.values()], sides)
    if (v := found.ratio) is None:
        print(f"{name}: no claim, {found.reason}")
        return []
    keys = [key for key, s in (*base.items(), *mine.items()) if s is goal or key in mine]
    note = described(found, goal, [*mine.values()], sides,
                     "chosen on the even rows, reported on the odd; on this side of quality alone")
    return [claim(name, v.value, v.low, v.high, UNITS[cost], v.n, command, keys, note)]


def headlines(store: Store, command: str, best: str, steps: int, label: str, suffix: str = "",
              margin: float | None = None) -> list[dict]:
    """headline.best.nfe_ratio and headline.best.flops_ratio, each with the suffix of its kind of data."""
    return [row for name, cost in (("nfe_ratio", "nfe_a"), ("flops_ratio", "nfe_c"))
            for row in ratio(f"headline.best.{name}{suffix}", store, command, best, steps, label, cost=cost,
                             margin=margin)]


def difference(name: str, pair: list[dict | None], label: str, unit: str, store: Store, command: str,
               note: str) -> list[dict]:
    """The claim of a counted record minus its partner, row by row, or none where either did not run, and a line that
    says so.
    """
    found = [(r, s) for r in pair if r and (s := scores(store, r["key"], label))]
    if len(found) < 2:
        print(f"{name}: no claim, one of the two arms is not in the store; run the study without --only")
        return []
    d, passes = paired_difference(*(s for _, s in found)), " against ".join(f"{r['cost']['nfe_a']:.1f}" for r,
                                                                            _ in found)
    return [claim(name, d.value, d.low, d.high, unit, d.n, command, [r["key"] for r, _ in found],
                  f"{note}; passes {passes}")]


def on_all_sides(name: str, store: Store, command: str, arms: Sequence[str], steps: int, sides: Sequence[Side],
                 cost: str = "nfe_a", baseline: str = "ancestral", unit: str = "steps") -> list[dict]:
    """The baseline in so many steps over the cheapest setting of these arms that is not worse on any side; none, and a
    line that says why.
    """
    n, labels = rows(store, baseline, arms[0]), [side.label for side in sides]
    base = settings(store, baseline, labels, n, cost)
    mine = {key: s for arm in arms for key, s in settings(store, arm, labels, n, cost).items()}
    goal = of_steps(store, baseline, steps, base, unit)
    if goal is None or not mine:
        print(f"{name}: {baseline} at {steps} {unit} or {', '.join(arms)} is not in the store; run the study without "
              "--only")
        return []
    found = matched(goal, [*mine.values()], sides)
    if (v := found.ratio) is None:
        print(f"{name}: no claim, {found.reason}")
        return []
    keys = [key for key, s in (*base.items(), *mine.items()) if s is goal or key in mine]
    note = described(found, goal, [*mine.values()], sides, "chosen on the even rows, reported on the odd")
    return [claim(name, v.value, v.low, v.high, UNITS[cost], v.n, command, keys, note)]
