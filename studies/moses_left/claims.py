"""What is claimed of molecules on networks that write from the left.

Claims of each budget of training, competence.{validity, nfe_ratio, gain, recovered}.{3M, 15M, 65M}; competence.slope,
of the ratio over validity, and competence.slope.gain. A ratio is that of the network that verifies itself, whose law is
that of one character a pass. A gain is that of the hybrid in the dearest setting that takes no more passes than two
characters a pass do, over those. What is claimed of the best network on
10,000 fresh rows: studies/moses_left_headline.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from harness.claims.claim import claim
from harness.records.measured import cached_table
from harness.records.points import done, scores
from harness.records.store import Store
from harness.stats.intervals import Interval, resampled_sums
from harness.stats.realised import Side
from harness.study import Study
from studies.analysis.matched import ratio
from studies.moses_competence.claims import COLUMNS, QUANTITIES, RESAMPLES, Level, slope
from studies.moses_competence.claims import UNITS as THEIRS

BASELINE, SSMD, ITSELF = "first_hitting", "ssmd", "itself"
LEVELS = {"65M": "", "15M": "_15M", "3M": "_3M"}    # a budget of training: what its arms end in
ONE, TWO = 1, 2    # characters a pass: the quality to match, and what the verified ones are held against
ORDER = ("3M", "15M", "65M")
# Worse by less counts as not worse. 2,048 rows choose where they seem worse by no more than half of it, and two runs of
# one law may differ by .02 in validity there (two standard errors)
SIDES = [Side("validity", "higher", 0.03), Side("fcd", "lower", 0.25), Side("unique", "higher", 0.01)]
# In validity, of the ratios of the budgets, whose settings have one law (tests/conformance/test_itself.py): half of
# 1,024 rows show no less than .06
LEVEL_MARGIN = 0.1
RATIOS = ("network", *(f"{name}{end}" for name in ("competence", "ratio") for end in ("", "_low", "_high")))
UNITS = THEIRS | {"recovered": "share of what two characters a pass lose"}


def claims(store: Store, command: str) -> list[dict]:
    found = levels(store)
    keys = {name: [r["key"] for r in one.records.values()] for name, one in found.items()}
    made, ratios = [], dict[str, dict]()
    for name, one in found.items():
        for quantity, called in (("competence", "validity"), ("gain", "gain"), ("recovered", "recovered")):
            if v := one.interval(quantity):
                made.append(claim(f"competence.{called}.{name}", v.value, v.low, v.high, UNITS[quantity], v.n, command,
                                  keys[name], one.note()))
        rows = ratio_of(name, store, command)
        made += rows
        ratios |= zip([name], rows)
    if len(found) < len(ORDER):
        print(f"competence.slope: no claim, of {', '.join(ORDER)} only {', '.join(found) or 'none'} ran; run the study "
              "without --only")
        return made
    v = slope([found[name] for name in ORDER], "gain")
    shown = ", ".join(f"{one.values('gain')[0]:.3f} at {one.valid[0, 0]:.3f}" for one in found.values())
    made.append(claim("competence.slope.gain", v.value, v.low, v.high, "gain / validity", v.n, command,
                      [key for name in ORDER for key in keys[name]], f"gain at the validity of the network: {shown}"))
    if len(ratios) < len(ORDER):
        print(f"competence.slope: no claim, a ratio was shown of {', '.join(ratios) or 'none'} alone")
        return made
    x = [found[name].valid[0, 0] for name in ORDER]
    v = slope_of_ratios(x, [Interval(*(ratios[name][end] for end in ("value", "low", "high", "n"))) for name in ORDER])
    shown = ", ".join(f"{ratios[name]['value']:.2f} at {one:.3f}" for name, one in zip(ORDER, x))
    return [*made, claim("competence.slope", v.value, v.low, v.high, "ratio / validity", v.n, command,
                         sorted({key for name in ORDER for key in ratios[name]["keys"]}),
                         f"times fewer passes than one character a pass takes, at the validity of that: {shown}; the "
                         "interval runs over all ends of the three")]


def ratio_of(name: str, store: Store, command: str) -> list[dict]:
    """Of a budget of training the claim, or none and a line that says why."""
    end, side = LEVELS[name], SIDES[0]
    return ratio(f"competence.nfe_ratio.{name}", store, command, f"{ITSELF}{end}", ONE, side.label, f"{BASELINE}{end}",
                 side.better, margin=LEVEL_MARGIN, unit="tokens")


def slope_of_ratios(x: Sequence[float], ratios: Sequence[Interval]) -> Interval:
    """Least squares over networks of validity x. A ratio is of a setting that was run, and its interval reaches to
    settings that were not shown to be worse: so the slope's runs from the least to the greatest that any ends of
    theirs give.
    """
    d = np.asarray(x) - np.mean(x)

    def of(values: Sequence[float]) -> float:
        return float(d @ np.asarray(values) / (d @ d))

    ends = [of(corner) for corner in product(*((v.low, v.high) for v in ratios))]
    return Interval(of([v.value for v in ratios]), min(ends), max(ends), sum(v.n for v in ratios))


def levels(store: Store) -> dict[str, Level]:
    """By budget of training, the least first; those that ran."""
    found = {name: of_level(store, LEVELS[name]) for name in ORDER}
    return {name: one for name, one in found.items() if one is not None}


def of_level(store: Store, end: str) -> Level | None:
    """Of the arms whose names end so; None where one did not run."""
    plain = {r["cell"]["sampler"]["tokens"]: r for r in done(store, f"{BASELINE}{end}")}
    if not {ONE, TWO} <= plain.keys():
        return None
    within = [r for r in done(store, f"{SSMD}{end}") if r["cost"]["nfe_a"] <= plain[TWO]["cost"]["nfe_a"]]
    if not within:
        return None
    records = {"first_hitting": plain[ONE], "ancestral": plain[TWO], "ssmd": within[-1]}
    found = [scores(store, r["key"], SIDES[0].label) for r in records.values()]
    if any(one is None for one in found):
        return None
    columns = np.stack([np.asarray(one.numerator, np.float64) for one in found], 1)    # (n, 3) rows in pairs
    return Level(records, resampled_sums(columns, RESAMPLES, seed=0) / len(columns), len(columns))


def measure(study: Study, store: Store) -> list[dict]:
    """The tables of the two figures of competence."""
    found = levels(store)
    if len(found) < len(ORDER):
        return []

    def rows() -> list[list]:
        return [[name, *(number for quantity in QUANTITIES for number in (one.interval(quantity) or [None] * 3)[:3])]
                for name, one in found.items()]

    def ratios() -> list[list]:
        return [[name, *one.interval("competence")[:3], row["value"], row["low"], row["high"]]
                for name, one in found.items() for row in ratio_of(name, store, "")]

    records = [r for one in found.values() for r in one.records.values()]
    verified = [r for name in found for r in done(store, f"{ITSELF}{LEVELS[name]}")]
    return [cached_table(store, study.name, "competence", COLUMNS, rows, records),
            cached_table(store, study.name, "verified", RATIOS, ratios, [*records, *verified])]
