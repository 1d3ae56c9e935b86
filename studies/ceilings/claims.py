"""Tokens a pass of two oracles, and how much of it is reached.

Claims ceiling.match.{heavy, ssmd}[_dilated], tokens a draft pass; ceiling.coupling.ssmd[_dilated], tokens a verify
pass, of which there is one a draft pass; ceiling.coupling.ssmd[_dilated].reached, the sampler in its widest window over
that; and .over_match, what the test keeps over what equal uniforms match, by row. Of two networks ceiling.match.
light_heavy and ceiling.coupling.light_heavy, tokens a test, and .reached.kK, the sampler with K drafts over the latter.
"""

import numpy as np

from harness.claims.claim import claim
from harness.records import by_row
from harness.records.measured import cached_table, column, newest
from harness.records.points import COSTS, done
from harness.records.store import Store
from harness.schedules.order import Dilated, Uniform
from harness.spec import brief
from harness.stats.intervals import ratio_interval
from harness.study import Study
from studies.ceilings.match import passes
from studies.ceilings.two import tests

SLOW = {"heavy": ("first_hitting", "heavy", Uniform()), "heavy_dilated": ("first_hitting_dilated", "heavy", Dilated()),
        "ssmd": ("any_order", "hybrid_frozen", Uniform()),
        "ssmd_dilated": ("any_order_dilated", "hybrid_frozen", Dilated())}
COLUMNS, TWO = ("ceiling", "row", "passes"), ("row", "match", "coupling")


def measure(study: Study, store: Store) -> list[dict]:
    """Passes of the oracle by row; nothing before the slow samplers' rows are in the store."""
    known = {name: done(store, arm, study.n) for name, (arm, *_) in SLOW.items()}
    if not all(known.values()):
        return []
    return [cached_table(store, study.name, "match", COLUMNS, lambda: _matched(study, store, known),
                         [records[0] for records in known.values()]),
            cached_table(store, study.name, "two networks", TWO, lambda: _two_networks(study, store, known["heavy"][0]),
                         known["heavy"])]


def _two_networks(study: Study, store: Store, record: dict) -> list[list]:
    import torch

    y = torch.from_numpy(store.get("samples", record["key"]).astype(np.int64))
    light, heavy = (study.nets[name].load("cpu") for name in ("light", "heavy"))
    found = zip(*(values.tolist() for values in tests(light, heavy, y, Uniform(), study.seed)))
    return [[row, match, coupling] for row, (match, coupling) in enumerate(found)]


def _matched(study: Study, store: Store, known: dict[str, list[dict]]) -> list[list]:
    import torch

    found = []
    for name, (_, net, law) in SLOW.items():
        y = torch.from_numpy(store.get("samples", known[name][0]["key"]).astype(np.int64))
        taken = passes(study.nets[net].load("cpu"), y, law, study.seed)
        found += [[name, row, int(k)] for row, k in enumerate(taken)]
    return found


def claims(store: Store, command: str) -> list[dict]:
    made, record = [], newest(store, "match")
    for name in SLOW if record else ():
        taken = np.array([k for which, _, k in record["rows"] if which == name], float)
        length = done(store, SLOW[name][0])[0]["cost"]["tokens"] / len(taken)
        v = ratio_interval(np.full(len(taken), length), taken)
        made.append(claim(f"ceiling.match.{name}", v.value, v.low, v.high, "tokens / draft pass", v.n, command,
                          [*record["cells"]], f"the rows of {SLOW[name][0]}"))
    for end in ("", "_dilated"):
        matched = [k for which, _, k in record["rows"] if which == f"ssmd{end}"] if record else []
        made += coupling(end, store, command, np.array(matched, float))
    return made + two_networks(store, command)


def two_networks(store: Store, command: str) -> list[dict]:
    """Tokens a test of both ceilings, and what the sampler reaches of the second, paired by row."""
    record = newest(store, "two networks")
    if record is None:
        print("ceiling.coupling.light_heavy: no claim, it was not measured; run the study without --only")
        return []
    made, keys, unit = [], [*record["cells"]], "tokens / test"
    match, expected = (np.array(column(record, name), float) for name in ("match", "coupling"))
    length = done(store, "first_hitting")[0]["cost"]["tokens"] / len(match)
    for name, needed in (("match", match), ("coupling", expected)):
        v = ratio_interval(np.full(len(needed), length), needed)
        made.append(claim(f"ceiling.{name}.light_heavy", v.value, v.low, v.high, unit, v.n, command, keys,
                          "the rows of first_hitting, drafts to the end"))
    for run in done(store, "light_heavy"):
        v = ratio_interval(expected, by_row.of(store, run)["tests"])
        made.append(claim(f"ceiling.coupling.light_heavy.reached.k{run['cell']['sampler']['tokens']}", v.value, v.low,
                          v.high, f"{unit}, ratio", v.n, command, [*keys, run["key"]], brief(run["cell"]["sampler"])))
    return made


def coupling(end: str, store: Store, command: str, matched: np.ndarray) -> list[dict]:
    """Tokens a verify pass with an open window and one round, the sampler's own over it, and it over the passes of
    the match oracle (n,), paired by row.
    """
    free, mine = next(iter(done(store, f"coupling{end}")), None), next(iter(done(store, f"ssmd{end}")), None)
    if free is None or mine is None:
        print(f"ceiling.coupling.ssmd{end}: no claim, an arm is not in the store; run the study without --only")
        return []
    sides = [verified(store, record) for record in (free, mine)]
    n, tokens = len(sides[0]), free["cost"]["tokens"] / len(sides[0])
    v = ratio_interval(np.full(n, tokens), sides[0])
    reached = ratio_interval(sides[0], sides[1])    # tokens are the same
    unit = "tokens / verify pass"
    made = []
    if len(matched):
        over = ratio_interval(matched, sides[0])
        made.append(claim(f"ceiling.coupling.ssmd{end}.over_match", over.value, over.low, over.high,
                          "tokens / draft pass, ratio", over.n, command, [free["key"]],
                          "the test against equal uniforms"))
    return made + [claim(f"ceiling.coupling.ssmd{end}", v.value, v.low, v.high, unit, v.n, command, [free["key"]],
                  brief(free["cell"]["sampler"])),
            claim(f"ceiling.coupling.ssmd{end}.reached", reached.value, reached.low, reached.high, f"{unit}, ratio",
                  reached.n, command, [free["key"], mine["key"]],
                  f"{brief(mine['cell']['sampler'])} over {brief(free['cell']['sampler'])}")]


def verified(store: Store, record: dict) -> np.ndarray:
    """Verify passes of each row, (n,)."""
    costs = store.get("costs", record["key"])                                      # (n, 3)
    share = costs[:, COSTS.index("nfe_a")] - costs[:, COSTS.index("nfe_b")]        # of blocks
    found: np.ndarray = share * record["cost"]["calls"]["main.verify"] / share.mean()
    return found
