"""Passes saved on molecules in settings that were run, chosen on the rows of studies/moses_frontier and reported on
fresh ones, and our rows for the published table.

Claims headline.best.{nfe_ratio, flops_ratio}.moses and moses.table.{ancestral_32, ancestral_8, ssmd}.COLUMN.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.claims.claim import claim
from harness.kinds import Metric
from harness.metrics.molecules.fcd import Fcd
from harness.metrics.molecules.parts import Frag, Scaf
from harness.metrics.molecules.properties import Filters
from harness.metrics.molecules.similarity import InternalDiversity, Snn
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty, Unique
from harness.records.measured import cached_table
from harness.records.places import KEPT
from harness.records.points import done
from harness.records.store import Store
from harness.run.scoring import scores_of
from harness.spec import brief
from harness.stats.intervals import ratio_interval
from harness.stats.realised import Setting, Side, choose, report
from harness.study import Study
from studies.analysis.matched import UNITS, described
from studies.headline.claims import Rows, keys_of
from studies.moses_frontier.claims import GOAL, ORDERS, SIDES

SEARCH = Path(__file__).parents[1] / "moses_frontier" / KEPT    # the run whose rows chose
BASELINE, QUARTER = "ancestral", 8                                # steps, a fourth of those of the goal
ARMS = tuple(ORDERS.values())
SHORT = {"name": "linear", "delta": 0.125}    # the window of the self-speculative row of the table
Row = Callable[[dict], str | None]
NAME, TABLE = "table of the benchmark", ("key", "column", "value", "low", "high", "rows")


def columns() -> dict[str, Metric]:
    """The metrics of the published table, by its columns (studies/moses_headline/published.py)."""
    return {"valid": Validity(), "unique 1k": Unique(k=1000),
            **{f"{name} {split}": metric(split=split) for name, metric in (("fcd", Fcd), ("snn", Snn), ("frag", Frag),
                                                                           ("scaf", Scaf))
               for split in ("test", "scaffolds")},
            "diversity": InternalDiversity(), "diversity 2": InternalDiversity(p=2), "filters": Filters(),
            "novelty": Novelty()}


def of_table(record: dict) -> str | None:
    """The name of the row that a cell gives the table, or None."""
    sampler = record["cell"]["sampler"]
    steps = {GOAL: "ancestral_32", QUARTER: "ancestral_8"}
    if record["arm"] == BASELINE:
        return steps.get(sampler.get("steps"))
    return "ssmd" if record["arm"] == ORDERS[""] and sampler["window"] == SHORT else None


def measure(study: Study, store: Store, of: Row = of_table) -> list[dict]:
    """The columns of the published table, of the cells that stand in it; those of fewer than 1,000 valid rows lack one.
    of: the name of the row that a cell gives, or None.
    """
    made = []
    for arm in study.arms:
        for record in done(store, arm.name, study.n):
            if of(record):
                made.append(cached_table(store, study.name, NAME, TABLE, lambda r=record: _rows(study, store, r),
                                         [record], of=list(columns())))
    return made


def _rows(study: Study, store: Store, record: dict) -> list[list]:
    found = []
    for name, metric in columns().items():
        answer, = scores_of(store.get("samples", record["key"]), [(name, metric)], study.data)
        if not answer.reason:
            v = ratio_interval(*answer.table)
            found.append([record["key"], name, v.value, v.low, v.high, v.n])
    return found


def claims(store: Store, command: str, search: Path = SEARCH) -> list[dict]:
    labels, made = [side.label for side in SIDES], []
    for name, cost in (("nfe_ratio", "nfe_a"), ("flops_ratio", "nfe_c")):
        made += _ratio(f"headline.best.{name}.moses", store, command, Rows(Store(search), labels, cost),
                       Rows(store, labels, cost))
    return made + table(store, command)


def _ratio(name: str, store: Store, command: str, chose: Rows, fresh: Rows) -> list[dict]:
    goal, seen, mine = fresh.goal(GOAL), chose.goal(GOAL), fresh.of(*ARMS)
    if goal is None or seen is None or not mine:
        print(f"{name}: no claim, {BASELINE} in {GOAL} steps, or {' and '.join(ARMS)}, is not in both runs")
        return []
    keys = keys_of(store, (BASELINE, *ARMS), goal.name, *(s.name for s in mine))
    return confirmed(name, command, seen, chose.of(*ARMS), goal, mine, SIDES, fresh.cost, keys, "moses_frontier")


def confirmed(name: str, command: str, seen: Setting, known: Sequence[Setting], goal: Setting, mine: Sequence[Setting],
              sides: Sequence[Side], cost: str, keys: list[str], search: str) -> list[dict]:
    """The claim of the cheapest setting of `mine` that is not worse than `goal`, both on fresh rows, among those that
    the rows of `search` chose: there the goal is `seen`, and settings `known`. None, and a line that says why.
    """
    run = {s.name for s in mine}
    found = report(goal, mine, choose(seen, [s for s in known if s.name in run], sides), sides)
    if (v := found.ratio) is None:
        print(f"{name}: no claim, {found.reason}")
        return []
    note = described(found, goal, mine, sides, f"chosen on the rows of studies/{search}, reported on {v.n:,} fresh "
                                               "rows")
    return [claim(name, v.value, v.low, v.high, UNITS[cost], v.n, command, keys, note)]


def table(store: Store, command: str, of: Row = of_table) -> list[dict]:
    """moses.table.ROW.COLUMN of what was measured."""
    made, known = [], {r["key"]: r for r in store.of("counted")}
    for found in (m for m in store.latest("measured", "key").values() if m["name"] == NAME):
        for key, column, value, low, high, n in found["rows"]:
            record = known[key]
            name = f"moses.table.{of(record)}.{column.replace(' ', '_')}"
            note = f"{brief(record['cell']['sampler'])}, {record['cost']['nfe_a']:.1f} passes"
            made.append(claim(name, value, low, high, "as MOSES", n, command, [key], note))
    return made
