"""Passes saved on molecules in settings that were run, chosen on the rows of studies/moses_left and reported on fresh
ones, and our rows for the published table.

Claims of one character a pass, moses.{validity, fcd, unique}.heavy; of it over the cheapest self-speculative setting,
nfe_ratio.moses.{validity, fcd} on one side of quality alone, headline.ssmd.{nfe_ratio, flops_ratio}.moses on all three,
and headline.best.{nfe_ratio, flops_ratio}.moses of the best of all arms; moses.table.{one, four, ssmd, itself}.COLUMN.
The self-speculative settings are those of the hybrid and of the network that verifies itself.
"""

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
from harness.records.points import done, rows
from harness.records.store import Store
from harness.run.scoring import scores_of
from harness.spec import brief
from harness.stats.intervals import ratio_interval
from harness.stats.realised import Setting, Side, choose, report
from harness.study import Study
from studies.analysis.matched import UNITS, described, of_steps, settings
from studies.headline.claims import keys_of
from studies.moses_frontier.claims import NAMES, level
from studies.moses_left.claims import BASELINE, ITSELF, ONE, SIDES, SSMD

SEARCH = Path(__file__).parents[1] / "moses_left" / KEPT    # the run whose rows chose
QUARTER = 4                                                # characters a pass: a fourth of the passes
SPECULATIVE = (SSMD, ITSELF)
SHORT = {"name": "fixed", "tokens": 8}    # the window of the self-speculative rows of the table
NAME, TABLE = "table of the benchmark", ("key", "column", "value", "low", "high", "rows")


def columns() -> dict[str, Metric]:
    """The metrics of the published table, by its columns (studies/moses_left_headline/published.py)."""
    return {"valid": Validity(), "unique 1k": Unique(k=1000),
            **{f"{name} {split}": metric(split=split) for name, metric in (("fcd", Fcd), ("snn", Snn), ("frag", Frag),
                                                                           ("scaf", Scaf))
               for split in ("test", "scaffolds")},
            "diversity": InternalDiversity(), "diversity 2": InternalDiversity(p=2), "filters": Filters(),
            "novelty": Novelty()}


def of_table(record: dict) -> str | None:
    """The name of the row that a cell gives the table, or None."""
    sampler = record["cell"]["sampler"]
    if record["arm"] == BASELINE:
        return {ONE: "one", QUARTER: "four"}.get(sampler["tokens"])
    return record["arm"] if sampler.get("window") == SHORT else None


def measure(study: Study, store: Store) -> list[dict]:
    """The columns of the published table, of the cells that stand in it; those of fewer than 1,000 valid rows lack
    one.
    """
    made = []
    for arm in study.arms:
        for record in done(store, arm.name, study.n):
            if of_table(record):
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
    made = [row for name in NAMES for row in level(f"moses.{name}.heavy", store, command, name, BASELINE)]
    for name, side in zip(("validity", "fcd"), SIDES):
        made += _ratio(f"nfe_ratio.moses.{name}", store, command, search, SPECULATIVE, [side])
    for who, arms in (("ssmd", SPECULATIVE), ("best", (*SPECULATIVE, BASELINE))):
        for name, cost in (("nfe_ratio", "nfe_a"), ("flops_ratio", "nfe_c")):
            made += _ratio(f"headline.{who}.{name}.moses", store, command, search, arms, SIDES, cost)
    return made + table(store, command)


def _ratio(name: str, store: Store, command: str, search: Path, arms: tuple[str, ...], sides: list[Side],
           cost: str = "nfe_a") -> list[dict]:
    """One character a pass over the cheapest setting of these arms that is not worse on these sides, of those that the
    rows of the search chose; none, and a line that says why.
    """
    labels = [side.label for side in sides]

    def of(run: Store) -> tuple[Setting | None, list[Setting]]:
        found = {arm: settings(run, arm, labels, rows(run, arm), cost) for arm in (BASELINE, *SPECULATIVE)}
        goal = of_steps(run, BASELINE, ONE, found[BASELINE], "tokens")
        return goal, sorted((s for arm in arms for s in found[arm].values() if s is not goal), key=lambda s: s.cost)

    (goal, mine), (seen, known) = of(store), of(Store(search))
    if goal is None or seen is None or not mine:
        print(f"{name}: no claim, {BASELINE} at one token a pass, or {' and '.join(arms)}, is not in both runs")
        return []
    keys = sorted({*keys_of(store, (BASELINE, *arms), goal.name, *(s.name for s in mine))})
    run = {s.name for s in mine}
    found = report(goal, mine, choose(seen, [s for s in known if s.name in run], sides), sides)
    if (v := found.ratio) is None:
        print(f"{name}: no claim, {found.reason}")
        return []
    note = described(found, goal, mine, sides, f"chosen on the rows of studies/moses_left, reported on {v.n:,} fresh "
                                               "rows")
    return [claim(name, v.value, v.low, v.high, UNITS[cost], v.n, command, keys, note)]


def table(store: Store, command: str) -> list[dict]:
    """moses.table.ROW.COLUMN of what was measured."""
    made, known = [], {r["key"]: r for r in store.of("counted")}
    for found in (m for m in store.latest("measured", "key").values() if m["name"] == NAME):
        for key, column, value, low, high, n in found["rows"]:
            record = known[key]
            name = f"moses.table.{of_table(record)}.{column.replace(' ', '_')}"
            note = f"{brief(record['cell']['sampler'])}, {record['cost']['nfe_a']:.1f} passes"
            made.append(claim(name, value, low, high, "as MOSES", n, command, [key], note))
    return made
