"""Claims moses.ends.given.{validity, fcd}, and moses.ends.given_minus_written: validity, by rows of two runs."""

from pathlib import Path

from harness.claims.claim import claim
from harness.records.places import KEPT
from harness.records.points import done, scores
from harness.records.store import Store
from harness.stats.intervals import unpaired_difference
from studies.moses_frontier.claims import level

WRITTEN = Path(__file__).parents[1] / "moses_ends_written" / KEPT


def claims(store: Store, command: str, other: Path = WRITTEN) -> list[dict]:
    made = [row for what in ("validity", "fcd") for row in level(f"moses.ends.given.{what}", store, command, what,
                                                                 "given")]
    if not other.exists():
        print("moses.ends.given_minus_written: no claim; run studies/moses_ends_written with --claims first")
        return made
    sides = [(store, "given"), (Store(other), "written")]
    records = [next(iter(done(where, arm)), None) for where, arm in sides]
    valid = [record and scores(where, record["key"], "validity") for (where, _), record in zip(sides, records)]
    if any(one is None for one in valid):
        print("moses.ends.given_minus_written: no claim, one of the two arms is not in its store")
        return made
    v = unpaired_difference(*valid)
    return [*made, claim("moses.ends.given_minus_written", v.value, v.low, v.high, "share of rows, unpaired", v.n,
                         command, [records[0]["key"]], "rows of two runs, resampled each for itself")]
