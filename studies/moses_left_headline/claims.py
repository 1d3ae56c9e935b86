"""Passes saved on molecules in settings that were run, chosen on the rows of studies/moses_left and reported on fresh
ones, and our rows for the published table.

Claims of one character a pass, moses.{validity, fcd, unique}.heavy; of it over the cheapest self-speculative setting,
nfe_ratio.moses.{validity, fcd} on one side of quality alone, headline.ssmd.{nfe_ratio, flops_ratio}.moses on all three,
and headline.best.{nfe_ratio, flops_ratio}.moses of the best of all arms; moses.table.{one, four, ssmd, itself}.COLUMN.
The self-speculative settings are those of the hybrid and of the network that verifies itself.
"""

from functools import partial
from pathlib import Path

from harness.records.places import KEPT
from harness.records.points import rows
from harness.records.store import Store
from harness.stats.realised import Setting, Side
from studies.analysis.matched import of_steps, settings
from studies.headline.claims import keys_of
from studies.moses_frontier.claims import NAMES, level
from studies.moses_headline.claims import confirmed, table
from studies.moses_headline.claims import measure as published
from studies.moses_left.claims import BASELINE, ITSELF, ONE, SIDES, SSMD

SEARCH = Path(__file__).parents[1] / "moses_left" / KEPT    # the run whose rows chose
QUARTER = 4                                                # characters a pass: a fourth of the passes
SPECULATIVE = (SSMD, ITSELF)
SHORT = {"name": "fixed", "tokens": 8}    # the window of the self-speculative rows of the table


def of_table(record: dict) -> str | None:
    """The name of the row that a cell gives the table, or None."""
    sampler = record["cell"]["sampler"]
    if record["arm"] == BASELINE:
        return {ONE: "one", QUARTER: "four"}.get(sampler["tokens"])
    return record["arm"] if sampler.get("window") == SHORT else None


measure = partial(published, of=of_table)


def claims(store: Store, command: str, search: Path = SEARCH) -> list[dict]:
    made = [row for name in NAMES for row in level(f"moses.{name}.heavy", store, command, name, BASELINE)]
    for name, side in zip(("validity", "fcd"), SIDES):
        made += _ratio(f"nfe_ratio.moses.{name}", store, command, search, SPECULATIVE, [side])
    for who, arms in (("ssmd", SPECULATIVE), ("best", (*SPECULATIVE, BASELINE))):
        for name, cost in (("nfe_ratio", "nfe_a"), ("flops_ratio", "nfe_c")):
            made += _ratio(f"headline.{who}.{name}.moses", store, command, search, arms, SIDES, cost)
    return made + table(store, command, of_table)


def _ratio(name: str, store: Store, command: str, search: Path, arms: tuple[str, ...], sides: list[Side],
           cost: str = "nfe_a") -> list[dict]:
    """One character a pass over the cheapest setting of these arms that is not worse on these sides."""
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
    return confirmed(name, command, seen, known, goal, mine, sides, cost, keys, "moses_left")
