"""What is claimed of the competence of networks that may be asked for any place (those that write from the left:
studies/moses_left), each id after competence.any_order: {validity, gain, recovered}.{low, middle, high, t75, t50}, the
share where a loss is shown; slope, that of the gain over the validity of the network, by least squares over three
budgets; slope.temperature, over the third network at three temperatures; slope.recovered, of the share that is given
back, over all networks that have one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.claims.claim import claim
from harness.records.measured import cached_table
from harness.records.places import KEPT
from harness.records.points import done, scores
from harness.records.store import Store
from harness.spec import brief
from harness.stats.intervals import Interval, interval, resampled_sums
from harness.study import Study

WEAK = ("low", "middle")
# the runs of the third network, at temperature 1 and below
FRONTIER, COOL = (Path(__file__).parents[1] / name / KEPT for name in ("moses_frontier", "moses_temperature"))
CALLED = {"t75": "T = 0.75", "t50": "T = 0.5"}    # in the figure: the third network at that temperature
BUDGETS, TEMPERATURES = (*WEAK, "high"), ("high", "t75", "t50")
WINDOW = {"name": "linear", "delta": 0.05}    # three characters of a row of 58
RESAMPLES = 4000
QUANTITIES = ("competence", "recovered", "gain")
COLUMNS = ("network", *(f"{name}{end}" for name in QUANTITIES for end in ("", "_low", "_high")))
UNITS = {"competence": "share of rows", "recovered": "share of what ancestral sampling loses",
         "gain": "share of rows, paired"}


class Level(NamedTuple):
    """One network: its records, and how much of what was drawn is valid, of the rows and of resamples of them."""

    records: dict[str, dict]    # first_hitting, ancestral, ssmd
    valid: np.ndarray           # (1 + RESAMPLES, 3) shares of rows, in that order
    n: int

    def values(self, quantity: str) -> np.ndarray:
        """(1 + RESAMPLES,)."""
        best, plain, verified = self.valid.T
        if quantity == "recovered":
            return (verified - plain) / (best - plain)
        return {"competence": best, "gain": verified - plain}[quantity]

    def interval(self, quantity: str) -> Interval | None:
        """None of a share of a loss that is not shown."""
        if quantity == "recovered" and np.quantile(self.valid[1:, 0] - self.valid[1:, 1], 0.0005) <= 0:
            return None
        value, *found = self.values(quantity)
        return interval(value, np.array(found), self.n, 0.95)

    def note(self) -> str:
        return "; ".join(f"{brief(r['cell']['sampler'])}: {share:.3f} valid in {r['cost']['nfe_a']:.1f} passes"
                         for r, share in zip(self.records.values(), self.valid[0]))


def level(store: Store, end: str) -> Level | None:
    """Of the arms whose names end so; None where one did not run."""
    verified = next((r for r in done(store, f"ssmd_frozen{end}") if r["cell"]["sampler"]["window"] == WINDOW), None)
    best, steps = next(iter(done(store, f"first_hitting{end}")), None), done(store, f"ancestral{end}")
    if best is None or verified is None:
        return None
    plain = min((r for r in steps if r["cost"]["nfe_a"] >= verified["cost"]["nfe_a"]),
                key=lambda r: r["cost"]["nfe_a"], default=None)
    records = {"first_hitting": best, "ancestral": plain, "ssmd": verified}
    found = [r and scores(store, r["key"], "validity") for r in records.values()]
    if any(one is None for one in found):
        return None
    columns = np.stack([np.asarray(one.numerator, np.float64) for one in found], 1)    # (n, 3) rows in pairs
    return Level(records, resampled_sums(columns, RESAMPLES, seed=0) / len(columns), len(columns))


def levels(store: Store, frontier: Path = FRONTIER, cool: Path = COOL) -> dict[str, Level]:
    """By name, the weakest first; those that ran."""
    found = {name: level(store, f"_{name}") for name in WEAK} | {"high": level(Store(frontier), "")}
    found |= {name: level(Store(cool), f"_{name}") for name in TEMPERATURES[1:]}
    return {name: one for name, one in found.items() if one is not None}


def slope(found: Sequence[Level], quantity: str) -> Interval:
    """Of a quantity over competence, least squares over networks, whose rows are resampled each for itself."""
    x, y = (np.stack([one.values(name) for one in found], 1) for name in ("competence", quantity))
    x = x - x.mean(1, keepdims=True)                                               # (1 + RESAMPLES, networks)
    value, *resampled = (x * y).sum(1) / (x * x).sum(1)
    return interval(value, np.array(resampled), sum(one.n for one in found), 0.95)


def measure(study: Study, store: Store) -> list[dict]:
    """The table of the figure; the cells are those of this run alone."""
    found = levels(store)
    own = [r for name in WEAK if name in found for r in found[name].records.values()]
    if not {*BUDGETS, *TEMPERATURES} <= {*found}:
        return []

    def rows() -> list[list]:
        def numbers(one: Level) -> list:
            return [number for quantity in QUANTITIES for number in (one.interval(quantity) or [None] * 3)[:3]]

        return [[CALLED.get(name, name), *numbers(one)] for name, one in found.items()]

    others = sorted(r["key"] for name in TEMPERATURES for r in found[name].records.values())
    return [cached_table(store, study.name, "competence", COLUMNS, rows, own, others=others)]


def claims(store: Store, command: str) -> list[dict]:
    found, made = levels(store), []
    keys = {name: [r["key"] for r in one.records.values()] if name in WEAK else [] for name, one in found.items()}
    if not {*WEAK} <= {*found}:
        ran = ", ".join(name for name in WEAK if name in found) or "none"
        print(f"competence.any_order.slope: no claim, of {', '.join(WEAK)} only {ran} ran; run the study without "
              "--only")
        return []
    for name, one in found.items():
        for quantity, called in (("competence", "validity"), ("gain", "gain"), ("recovered", "recovered")):
            if v := one.interval(quantity):
                made.append(claim(f"competence.any_order.{called}.{name}", v.value, v.low, v.high, UNITS[quantity],
                                  v.n, command, keys[name], one.note()))
    told = [name for name, one in found.items() if one.interval("recovered")]
    for end, names, quantity in (("", BUDGETS, "gain"), (".temperature", TEMPERATURES, "gain"),
                                 (".recovered", told, "recovered")):
        mine = [found[name] for name in names if name in found]
        v = slope(mine, quantity)
        shown = ", ".join(f"{one.values(quantity)[0]:.3f} at {one.valid[0, 0]:.3f}" for one in mine)
        made.append(claim(f"competence.any_order.slope{end}", v.value, v.low, v.high, f"{quantity} / validity", v.n,
                          command, [key for name in names for key in keys[name]],
                          f"{quantity} at the validity of the network: {shown}"))
    return made
