"""`ssmd-bench prove`: rows of stored cells sampled again by the code that runs now, and what came of it stored as
proofs.
"""

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.boundary.ending import NOTHING
from harness.cli._options import as_prompted, opened
from harness.records import provenance, study_path
from harness.records.standing import PROVEN, REFUTED, UNPROVEN, Evidence
from harness.records.store import Store
from harness.run.progress import Progress
from harness.spec import ROOT, brief

# lost: of the unproven, those that had been proven before
COUNTED = (PROVEN, REFUTED, UNPROVEN, "lost", "known", "unknown")


class Target(NamedTuple):
    """A run, and the study that it is of."""

    run: Path
    study: str


def prove(options: Namespace) -> tuple[dict, int]:
    targets = list(_targets(options.runs))
    if not options.check and provenance.dirty() and any(target.run.is_relative_to(ROOT / "studies")
                                                        for target in targets):
        raise ValueError("the sources are not those of the commit, and prove nothing for claims: commit them first, "
                         "or look with --check, which stores nothing")
    total = dict.fromkeys(COUNTED, 0)
    for target in targets:
        for name, count in _run(target, options).items():
            total[name] += count
    document = {"runs": [str(target.run) for target in targets], **total}
    if total[REFUTED] or options.check and total["lost"]:
        return document, 1
    if total[UNPROVEN] and not options.check:
        return document, 3
    if not total[PROVEN] + total[UNPROVEN] + total["known"]:
        print("ssmd-bench: none of these cells could be looked at: the lines above say why", file=sys.stderr)
        return document, NOTHING
    return document, 0


def _targets(named: list[str]) -> Iterator[Target]:
    """Raises ValueError for what is neither a study nor a run."""
    from harness.claims.rebuild import kept_run, kept_runs

    for word in named or map(str, kept_runs()):
        name = study_path.name_of(word)
        if not study_path.is_study(word):
            yield Target(Path(word), study_of(opened(Path(word)), bool(named)))
            continue
        file = study_path.file_of(word)
        run = kept_run(name) or Path("runs") / name
        if not run.exists():
            raise ValueError(f"no run of {word} is kept in studies, and there is none in {run}: run it, or name its "
                             "run")
        yield Target(run, str(file))


def study_of(store: Store, asked: bool = True) -> str:
    """The study that the command of a run names; nothing if there is none."""
    for record in reversed(store.of("study")):
        if found := study_path.named_in(record["command"]):
            return str(found)
    if asked:
        raise ValueError(f"{store.folder} names no study that is here: give the study in its place")
    return ""


def _run(target: Target, options: Namespace) -> dict[str, int]:
    from harness.records.machine import machine
    from harness.records.places import is_zip, name_of
    from harness.run.against import settled_by
    from harness.run.finished import reads
    from harness.run.prove import learn, looks, may_be_rounding, metrics_here, of_tokens, proof, verdict
    from harness.study import load_study

    store, here = opened(target.run), machine("cpu")["id"]
    evidence, tally = Evidence(store), dict.fromkeys(COUNTED, 0)
    wanted: dict[str, tuple[Any, dict]] = {}
    why: dict[str, int] = {}
    study = as_prompted(load_study(target.study), store) if target.study else None
    for (key,), record in store.latest("counted", "key").items():
        if record["status"] != "done" or not _in(key, options.share):
            continue
        if not options.check and evidence.standing(record) == PROVEN:
            tally["known"] += 1
            continue
        cell, reason = _cell(record, study)
        if cell is None:
            tally["unknown"] += 1
            why[reason] = why.get(reason, 0) + 1
        else:
            wanted[key] = cell, record
    progress = Progress(len(wanted), f"prove {name_of(target.run)}")
    for reason, count in why.items():
        progress.note(f"{count} cells cannot be looked at: {reason}")

    def keep(found: Any, said: str, reason: str, against: str | None = None) -> None:
        cell, record = wanted[found.key]
        tally[said] += 1
        tally["lost"] += said == UNPROVEN and evidence.stood(record)
        if options.check:
            return
        store.append(proof(found, record, said, reason, here, cell.own(), against))
        if said == PROVEN and not against and not is_zip(store.folder):
            learn(found, record, store)

    doubtful: dict[str, dict[str, Any]] = {}    # commit -> key -> what came of looking, and what it says alone
    metrics, absent = metrics_here(study) if wanted and study else ([], [])
    for reason in absent:
        progress.note(reason)
    for found in looks(wanted.values(), store, metrics, options.rows, options.jobs):
        cell, record = wanted[found.key]
        known_here = here in evidence.machines(record)
        last = evidence.last_proven(record) or {}
        said, reason = verdict(found, record, last or None, known_here)
        commit = of_tokens(found) and options.against or (
            may_be_rounding(found, said, cell.study.dtype) and not last.get("dirty") and last.get("commit"))
        if commit:
            doubtful.setdefault(commit, {})[found.key] = found, said, reason
        else:
            keep(found, said, reason)
        # what another commit is asked about is not decided yet
        progress.tick(f"{record['arm']}: {brief(record['cell']['sampler'])} {reason}",
                      f"to be asked of {commit[:10]}" if commit else said)
    for commit, looked_at in doubtful.items():
        settled: dict[str, bool | None]
        try:
            asked = [(found, wanted[key][1]) for key, (found, *_) in looked_at.items()]
            last_of = None if options.against else {key: evidence.last_proven(wanted[key][1]) for key in looked_at}
            settled = dict(settled_by(commit, target.study, asked, reads(study) if study else [], last_of))
        except (OSError, ValueError) as error:
            if options.against:
                raise
            settled = dict.fromkeys(looked_at, None)    # a shallow clone, or a commit that cannot load the study
            progress.note(f"{len(looked_at)} cells cannot be compared with what {commit[:10]} samples here: {error}")
        for key, same in settled.items():
            (found, alone, reason), (cell, record) = looked_at[key], wanted[key]
            if same is None and may_be_rounding(found, alone, cell.study.dtype):
                alone = UNPROVEN    # a question that cannot be put refutes nothing
            said = alone if same is None else PROVEN if same else REFUTED
            keep(found, said, reason if same is None else found.reason, None if same is None else commit)
            progress.note(f"{record['arm']}: {brief(record['cell']['sampler'])}: {said}, against {commit[:10]}")
    return tally


def _in(key: str, share: str | None) -> bool:
    """Whether a key is of the K-th of N parts."""
    from harness.run.shard import parse

    if share is None:
        return True
    part = parse(share, "--share")
    return int(key[:8], 16) % part.of == part.k - 1


def _cell(record: dict, study) -> tuple[Any, str]:
    from harness.run.recorded_cell import cell_of

    if study is None:
        return None, "the run names no study that is here"
    try:
        cell = cell_of(record, study)
        study.nets[study.reference].load("cpu")    # whose pass is the unit of NFE
    except ValueError as error:    # a network that is not here
        return None, str(error)
    return cell, "no arm of the study makes them with the networks and data that are here"
