"""Claims computed anew from the runs that are kept in the repository, a kept.zip beside each study, without sampling:
`ssmd-bench claims --rebuild`.

A claim that comes out as it was, up to rounding, stands as it is written. One whose numbers change takes the new ones.
A new one is added. What no kept run yields is left alone and named.
"""

import math
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from harness.claims import claim as claims_of
from harness.records import study_path
from harness.records.pack import unpack
from harness.records.places import KEPT, Kept, is_zip, name_of
from harness.records.store import Store
from harness.spec import ROOT
from harness.study import load_module

STUDIES, NUMBERS = ROOT / "studies", ("value", "low", "high", "n")
TAKEN = (*NUMBERS, "unit", "keys", "note")


def rebuild(say: Callable[[str], None], kept: Path = STUDIES) -> dict[str, int]:
    """How many claims are equal, changed, added, and left, which no kept run yields. Raises ValueError for damaged
    files.
    """
    tally = {"equal": 0, "changed": 0, "added": 0, "left": 0}
    known: dict[str, dict[str, dict]] = {}
    for row in claims_of.read(claims_of.RESULTS):
        known.setdefault(row["folder"], {})[row["claim"]] = {k: v for k, v in row.items() if k != "folder"}
    for name, rows in known.items():
        command = next(iter(rows.values()))["command"]
        study, run = study_path.named_in(command), kept_run(name, kept)
        if study is None or run is None:
            say(f"{name}: no run is kept, its claims stand as `{command}` made them")
            tally["left"] += len(rows)
            continue
        made, added = _again(load_module(str(study)), run, command, rows)
        for old in rows.values():
            new = made.get(old["claim"])
            tally["left" if new is None else "equal" if new is old else "changed"] += 1
            if new not in (None, old):
                say(f"{old['claim']}: {old['value']:.4g} ({old['low']:.4g} to {old['high']:.4g}) before, "
                    f"{new['value']:.4g} ({new['low']:.4g} to {new['high']:.4g})")
        if left := rows.keys() - made.keys():
            say(f"{name}: the kept run does not yield {', '.join(sorted(left))}; they stand as `{command}` made them")
        tally["added"] += len(added)
        if rows | made != rows or added:
            claims_of.write(name, [*(rows | made).values(), *added])
    return tally


def _again(module: ModuleType, run: Path, command: str, rows: dict[str, dict]) -> tuple[dict[str, dict], list[dict]]:
    """The known claims as the run yields them, by name, and new ones."""
    known, added = {}, []
    with TemporaryDirectory(prefix="ssmd-rebuild-") as scratch:
        made = made_of(module, run, command, Path(scratch) / name_of(run))
        for row in made:
            old = rows.get(row["claim"])
            if old is not None:
                known[row["claim"]] = old if same(old, row) else old | {field: row[field] for field in TAKEN}
            else:
                added.append(row)
    return known, added


def made_of(module: ModuleType, run: Path, command: str, copy: Path) -> list[dict]:
    """What a study claims of its kept run. It is given a copy if it computes beside the run."""
    with redirect_stdout(StringIO()):    # the study says what it cannot claim whenever it runs
        if is_zip(run):
            with suppress(Kept):
                return module.claims(Store(run), command)
            unpack(Store(run), copy)
        else:
            shutil.copytree(run, copy)
        return module.claims(Store(copy), command)


def kept_run(name: str, kept: Path = STUDIES) -> Path | None:
    """The run of a study that is kept, as a zip or as a folder; None if there is none."""
    return next((path for path in (kept / name / KEPT, kept / name / Path(KEPT).stem) if path.exists()), None)


def kept_runs(kept: Path = STUDIES) -> list[Path]:
    return [run for folder in sorted(kept.glob("*")) if (run := kept_run(folder.name, kept))]


def same(old: dict, new: dict) -> bool:
    """Equal up to rounding, which differs between machines."""
    return all(math.isclose(old[field], new[field], rel_tol=1e-9, abs_tol=1e-12) for field in NUMBERS) and all(
        old[f] == new[f] for f in TAKEN if f not in NUMBERS
    )
