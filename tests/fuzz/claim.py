"""The claim bad_input.tracebacks: how many of the inputs of one seed ended in an error that nobody foresaw."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from harness.claims import claim as claims
from harness.stats.intervals import share_interval
from tests.fuzz.outcome import BARE, GOOD, Found


def rows(found: Sequence[Found], seed: int) -> list[dict]:
    """A count, so its interval is the value; the note says below which share of such inputs it stays (Clopper and
    Pearson, one-sided 95 %).
    """
    n, bare = len(found), sum(f.outcome in BARE for f in found)
    outcomes, kinds = Counter(f.outcome for f in found), len({f.kind for f in found})
    bound = share_interval(bare, n, level=0.9).high
    said = ", ".join(f"{outcomes[name]} {name}" for name in GOOD)
    others = sum(f.outcome not in (*GOOD, *BARE) for f in found)
    note = (f"different inputs of {kinds} kinds, seed {seed}: {said}; {others} hung, were taken for good, lost "
            "something or said nothing; "
            f"a count, of inputs like these below {bound:.2%} (95 %, one-sided)")
    command = f"python -m tests.fuzz --seed {seed} --n {n} --claims"
    return [claims.claim("bad_input.tracebacks", bare, bare, bare, "inputs that end in an unforeseen error", n,
        command, [], note)]


def write(found: Sequence[Found], seed: int) -> Path:
    return claims.write("bad_input", rows(found, seed))
