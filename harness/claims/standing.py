"""How claims stand to the code that ships: by the records behind them, which are kept in the repository with their
proofs (harness/records/standing.py).

    proven      every record behind it is proven
    unproven    one is not; or none is kept, so that nothing can be looked at
    refuted     one is refuted
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.claims.rebuild import STUDIES, kept_run
from harness.records.sources import git
from harness.records.standing import PROVEN, REFUTED, UNPROVEN, Evidence
from harness.records.store import Store
from harness.spec import ROOMS


class Standing(NamedTuple):
    claim: str
    word: str
    since: str    # why it is unproven, or refuted


def standings(rows: Sequence[dict], kept: Path = STUDIES) -> Iterator[Standing]:
    """Of claims with their `folder`, in their order."""
    runs: dict[str, tuple[Evidence, dict] | None] = {}
    for row in rows:
        name = row["folder"]
        if name not in runs:
            run = kept_run(name, kept)
            store = Store(run) if run else None
            runs[name] = (Evidence(store), store.latest("counted", "key")) if store else None
        yield _standing(row, runs[name])


def lines(found: Sequence[Standing]) -> Iterator[str]:
    """In words: how many are proven, and what is not, together where the reason is one."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for claim, word, since in found:
        reasons.setdefault((word, since), []).append(claim)
    for (word, since), names in reasons.items():
        yield f"{word}: {len(names)} claim{'s' * (len(names) > 1)}" + (f", {since}: {', '.join(names)}" if since
                                                                       else "")


def _standing(row: dict, run: tuple[Evidence, dict] | None) -> Standing:
    if run is None:
        return Standing(row["claim"], UNPROVEN, "no record of its study is kept")
    evidence, counted = run
    records = [counted[(key,)] for key in row["keys"] if (key,) in counted]
    if not records:
        return Standing(row["claim"], UNPROVEN,
                        "it rests on a table of measurements, which belongs to the commit that measured it")
    words = [evidence.standing(record) for record in records]
    if REFUTED in words:
        return Standing(row["claim"], REFUTED, f"{words.count(REFUTED)} of {len(words)} records are refuted")
    if UNPROVEN not in words:
        return Standing(row["claim"], PROVEN, "")
    doubted = [record for record, word in zip(records, words) if word == UNPROVEN]
    return Standing(row["claim"], UNPROVEN, _since({(evidence.last_proven(record) or {}).get("commit")
                                                    for record in doubted}))


def _since(commits: Iterable[str | None]) -> str:
    """The first commit that changed the sources after the records were last proven."""
    if None in (found := {*commits}):
        return "never proven since records name their sources"
    first = {change for commit in found if (change := _next_change(str(commit)))}
    return f"since {', '.join(sorted(first))}" if first else "since a change that is not committed"


def _next_change(commit: str) -> str:
    words = ["log", "--reverse", "--format=%h", f"{commit}..HEAD", "--", *(f"{room}/*.py" for room in ROOMS)]
    found = (git(*words) or "").split()
    return found[0] if found else ""
