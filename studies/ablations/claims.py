"""Every ablated network against the one it was made from, at equal settings: a table of them all, and claims
PREFIX.NAME_minus_BASE and PREFIX.NAME_passes.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from harness.claims.claim import claim
from harness.records.measured import cached_table
from harness.records.points import done, point, rows
from harness.records.store import Store
from harness.schedules.window import Cosine
from harness.spec import to_json
from harness.stats.frontier import Point
from harness.stats.intervals import Interval, paired_difference, ratio_interval
from harness.study import Study
from ssmd.sampler import SelfSpeculative

COMPARED = SelfSpeculative(Cosine(0.083), rounds=10)
# member -> whose ablation it is
BASES = {"hybrid_plain": "hybrid", "hybrid_two": "hybrid", "hybrid_frozen_plain": "hybrid_frozen",
         "hybrid_frozen_heads": "hybrid_frozen"}
MEMBERS = [*dict.fromkeys([*BASES.values(), *BASES])]

NAME = "one change at a time"
COLUMNS = ("network", "base", "nats", "nats_low", "nats_high", "ratio", "ratio_low", "ratio_high")


def budget(card: dict | None) -> float:
    """Millions of tokens of training, of all cycles."""
    return (card.get("tokens", 0) / 1e6 + budget(card.get("earlier_cycle"))) if card else 0.0


class Pair(NamedTuple):
    """A network and its base, both at COMPARED."""

    same: list[tuple[dict, Point]]
    nats: Interval
    ratio: Interval    # of their passes there


def paired(name: str, base: str, store: Store) -> Pair | None:
    """None where one of the two did not run, or not at COMPARED."""
    n = rows(store, name, base)
    sides = [[(r, point(store, r, "judge")) for r in done(store, arm, n)] for arm in (name, base)]
    same = [next(((r, p) for r, p in side if r["cell"]["sampler"] == to_json(COMPARED)), None) for side in sides]
    if None in same:
        return None
    points = [p for _, p in same]
    return Pair(same, paired_difference(*(p.scores for p in points)), ratio_interval(*(p.costs for p in points)))


def measure_of(bases: Mapping[str, str]) -> Callable[[Study, Store], list[dict]]:
    """One row a network: the judge's nats beyond its base at COMPARED, and its passes over those of the base there."""
    def measure(study: Study, store: Store) -> list[dict]:
        found = {(name, base): pair for name, base in bases.items() if (pair := paired(name, base, store))}
        cells = {r["key"]: r for pair in found.values() for r, _ in pair.same}

        def table() -> list[list]:
            return [[*names, *pair.nats[:3], *pair.ratio[:3]] for names, pair in found.items()]

        return [cached_table(store, study.name, NAME, COLUMNS, table, [*cells.values()])] if found else []
    return measure


def claims_of(prefix: str, bases: Mapping[str, str]) -> Callable[[Store, str], list[dict]]:
    """PREFIX.NAME_minus_BASE and PREFIX.NAME_passes of every network that ran beside its base, at the setting
    COMPARED.
    """
    def claims(store: Store, command: str) -> list[dict]:
        ran = {r["arm"] for r in store.of("counted")}
        return [row for name, base in bases.items() if {name, base} <= ran
                for row in _compared(prefix, name, base, store, command)]
    return claims


def _compared(prefix: str, name: str, base: str, store: Store, command: str) -> list[dict]:
    pair, cards = paired(name, base, store), {r["name"]: r["card"] for r in store.of("network")}
    if pair is None:
        print(f"{prefix}.{name}: no claim, {name} or {base} did not run at {COMPARED.window}")
        return []
    note = "trained on " + " and ".join(f"{budget(cards[arm]):.0f} M tokens ({arm})" for arm in (name, base))
    d, v, keys = pair.nats, pair.ratio, [r["key"] for r, _ in pair.same]
    passes = " and ".join(f"{p.cost:.1f}" for _, p in pair.same)
    where = f"both {COMPARED.window}, N = {COMPARED.rounds}; passes {passes}; {note}"
    return [claim(f"{prefix}.{name}_minus_{base}", d.value, d.low, d.high, "judge nats per token, paired", d.n, command,
                  keys, where),
            claim(f"{prefix}.{name}_passes", v.value, v.low, v.high, "NFE A / NFE A", v.n, command, keys,
                  f"at equal settings, not at equal quality: {where}")]


claims, measure = claims_of("ablations", BASES), measure_of(BASES)
