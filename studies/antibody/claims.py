"""What a block on a pretrained network of antibodies saves, at matched quality, and how much of it is speculation.

Claims attach.antibody.{nfe_ratio, flops_ratio}[.blind | .taught | .known | .own | .short | .tiny],
attach.antibody.seconds_ratio, attach.acceptance[.blind | .taught | .known | .own | .short | .tiny],
attach.antibody.recognised_of_{ancestral_16, dilated},
attach.antibody.{verified, blind, taught, known, own, second_seed, short, order}_minus...[.second_seed],
attach.block_hours and
attach.antibody.judge_of_{held_out, shuffled, ancestral_16, first_hitting},
attach.orders.{pass_each, kept}_over_pass_for_four.
"""

from harness.claims.claim import claim
from harness.kinds import Scores
from harness.records.measured import cached_table, column, newest
from harness.records.points import done, scores
from harness.records.store import Store
from harness.schedules.window import Linear
from harness.stats.intervals import ratio_interval, time_ratio
from harness.stats.realised import Side
from harness.study import Study
from studies.analysis.matched import difference, on_all_sides
from studies.antibody import orders
from studies.antibody.blocks import BLOCKS
from studies.arms import BASELINE, DILATED

WIDE = Linear(0.25)    # of the arms that are compared
_WIDE = {"name": "linear", "delta": WIDE.delta}
GOAL, JUDGE, ENTROPY = 16, "lm", "sample_entropy"
# worse by less counts as not worse: a third of what ancestral sampling gains from 8 steps to 16 on other rows; more
# than what held-out chains lie below it there
SIDES = [Side(JUDGE, "lower", 0.02), Side(ENTROPY, "higher", 0.02)]
SAVING = {"": "s1", ".blind": "blind", ".taught": "taught", ".known": "known", ".own": "own", ".short": "short",
          ".tiny": "tiny"}
UNIT = "judge nats per residue, paired"
PAIRS = {"verified_minus_unverified": (f"{DILATED}_s1", "fixed_dilated"),
         "verified_minus_blind": (f"{DILATED}_s1", f"{DILATED}_blind"),
         "blind_minus_unverified": (f"{DILATED}_blind", "fixed_dilated"),
         "taught_minus_unverified": (f"{DILATED}_taught", "fixed_dilated"),
         "known_minus_unverified": (f"{DILATED}_known", "fixed_dilated"),
         "own_minus_unverified": (f"{DILATED}_own", "fixed_dilated"),
         **{f"{name}_minus_unverified.second_seed": (f"{DILATED}_{name}2", "fixed_dilated")
            for name in ("blind", "known", "own")},
         "own_minus_first_hitting": (f"{DILATED}_own", "first_hitting"),
         "verified_minus_first_hitting": (f"{DILATED}_s1", "first_hitting"),
         "second_seed_minus_first": (f"{DILATED}_s2", f"{DILATED}_s1"),
         "short_minus_whole": (f"{DILATED}_short", f"{DILATED}_s1"),
         "tiny_minus_whole": (f"{DILATED}_tiny", f"{DILATED}_s1"),
         "dilated_minus_uniform": (f"{DILATED}_s1", "ssmd_uniform_s1")}
HOUR = 3600.0


def measure(study: Study, store: Store) -> list[dict]:
    """What an order costs in training; nothing before the held-out rows are in the store."""
    known = done(store, "held_out", study.n)
    return [cached_table(store, study.name, "orders", orders.COLUMNS, lambda: orders.rows(study), known,
                         net=study.nets["trunk"].load("cpu").sha256)] if known else []


def of_orders(store: Store, command: str) -> list[dict]:
    """Seconds of an order where the trunk's pass is made for each, and where its states are kept, over those where one
    pass serves four.
    """
    record = newest(store, "orders")
    if record is None:
        print("attach.orders: no claim, nothing is measured; run the study without --only")
        return []

    def read(way: str, end: str) -> float:
        return column(record, end, way=way)[0]

    each, many, kept = orders.WAYS
    return [claim(f"attach.orders.{name}_over_pass_for_four", read(way, "seconds") / read(many, "seconds"),
                  read(way, "low") / read(many, "high"), read(way, "high") / read(many, "low"), "seconds / seconds",
                  orders.TURNS, command, [*record["cells"]],
                  f"processor seconds of an order of {orders.BATCH} rows; medians, the ends from quartiles")
            for name, way in (("pass_each", each), ("kept", kept))]


def at_wide(store: Store, arm: str) -> dict | None:
    """The record of an arm in the wide window; of one that has no window, its only one."""
    return next((r for r in done(store, arm) if r["cell"]["sampler"].get("window", _WIDE) == _WIDE), None)


def claims(store: Store, command: str) -> list[dict]:
    made: list[dict] = []
    for end, block in SAVING.items():
        for name, cost in (("nfe_ratio", "nfe_a"), ("flops_ratio", "nfe_c")):
            made += on_all_sides(f"attach.antibody.{name}{end}", store, command, [f"{DILATED}_{block}"], GOAL, SIDES,
                                 cost)
        made += accepted(f"attach.acceptance{end}", store, command, at_wide(store, f"{DILATED}_{block}"))
    made += in_seconds("attach.antibody.seconds_ratio", store, command)
    for name, arms in PAIRS.items():
        first, second = (at_wide(store, arm) for arm in arms)
        made += difference(f"attach.antibody.{name}", [first, second], JUDGE, UNIT, store, command, str(WIDE))
    for name, arm in (("held_out", "held_out"), ("shuffled", "shuffled"), ("ancestral_16", BASELINE),
                      ("first_hitting", "first_hitting")):
        made += level(f"attach.antibody.judge_of_{name}", store, command, arm)
    for name, arm in (("ancestral_16", BASELINE), ("dilated", f"{DILATED}_s1")):
        made += level(f"attach.antibody.recognised_of_{name}", store, command, arm, "recognised", "share of rows")
    return made + hours("attach.block_hours", store, command) + of_orders(store, command)


def accepted(name: str, store: Store, command: str, record: dict | None) -> list[dict]:
    """Share of the tested drafts that verify passes kept."""
    if record is None:
        print(f"{name}: no claim, the arm is not in the store")
        return []
    tested, passed = (sum(record["cost"][kind]["depth"]) for kind in ("tested", "passed"))
    share, error = passed / tested, (passed / tested * (1 - passed / tested) / tested) ** 0.5
    note = f"{WIDE}, drafts that verify passes tested; binomial, as if drafts of a row were independent"
    return [claim(name, share, share - 1.96 * error, share + 1.96 * error, "share of drafts tested", round(tested),
                  command, [record["key"]], note)]


def in_seconds(name: str, store: Store, command: str) -> list[dict]:
    cells = [next((r for r in done(store, BASELINE) if r["cell"]["sampler"].get("steps") == GOAL), None),
             at_wide(store, f"{DILATED}_s1")]
    times = [{r["process"]: r["seconds"] for r in store.of("timed") if cell and r["key"] == cell["key"]
              and r["same_output"]} for cell in cells]
    shared = sorted(set.intersection(*(set(side) for side in times)))
    if not shared or cells[0] is None or cells[1] is None:
        print(f"{name}: no claim, nothing is timed; run the study without --no-time")
        return []
    v = time_ratio(*([side[process] for process in shared] for side in times))
    busy = max(r["busy"] or 0 for cell in cells for r in store.of("timed") if r["key"] == cell["key"])
    note = (f"{BASELINE} in {GOAL} steps over {WIDE}; {len(shared)} processes of one thread, others took up to "
            f"{busy:.0%} of the machine")
    return [claim(name, v.value, v.low, v.high, "seconds / seconds", v.n, command, [cell["key"] for cell in cells],
                  note)]


def level(name: str, store: Store, command: str, arm: str, label: str = JUDGE,
          unit: str = "judge nats per residue") -> list[dict]:
    record = next((r for r in done(store, arm) if r["cell"]["sampler"].get("steps", GOAL) == GOAL), None)
    found: Scores | None = record and scores(store, record["key"], label)
    if record is None or found is None:
        print(f"{name}: no claim, {arm} is not in the store")
        return []
    v = ratio_interval(found.numerator, found.denominator)
    return [claim(name, v.value, v.low, v.high, unit, v.n, command, [record["key"]])]


def hours(name: str, store: Store, command: str) -> list[dict]:
    """Processor hours of the training whose block the ratio is of; the ends are those of all whole trainings."""
    cards = {}
    for arm in BLOCKS:
        record = at_wide(store, f"{DILATED}_{arm}")
        network = next((r for r in store.of("network") if record and r["sha256"] == record["cell"]["nets"]["main"]),
                       None)
        if record and network and "processor_seconds" in network["card"]:
            cards[arm] = record["key"], network["card"]
    if not {"s1", "s2"} <= set(cards):
        print(f"{name}: no claim, the cards of both seeds are not in the store")
        return []
    spent = [cards[arm][1]["processor_seconds"] / HOUR for arm in ("s1", "s2")]
    card = cards["s1"][1]
    return [claim(name, spent[0], min(spent), max(spent), "processor hours", 2, command,
                  [cards[arm][0] for arm in ("s1", "s2")],
                  f"{card['tokens']:,} residues, {card['training']['orders']} orders a draft pass, two cores; the ends "
                  "are those of two seeds")]
