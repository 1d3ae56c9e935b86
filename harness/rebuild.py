"""Claims computed anew from the runs that are kept in the repository (studies/runs), without sampling: `ssmd-bench claims --rebuild`.

A claim that comes out as it was, up to rounding, stands as it is written, with the code that its records were made by. One whose numbers change takes the new ones.
A new one is added beside a known one of the same records, or if the present code made them; else the study is to be run again. What no kept run yields is left alone and named.
"""

import math
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from harness import claims as claims_of
from harness.pack import unpack
from harness.places import Kept, is_zip, name_of
from harness.renew import cell_of
from harness.spec import ROOT
from harness.store import Store
from harness.study import Study, load_module

KEPT, NUMBERS = ROOT / "studies" / "runs", ("value", "low", "high", "n")
TAKEN = (*NUMBERS, "unit", "keys", "note")


def rebuild(say: Callable[[str], None], kept: Path = KEPT) -> dict[str, int]:
    """How many claims are equal, changed, added, and left, which no kept run yields. Raises ValueError for damaged files."""
    tally = {"equal": 0, "changed": 0, "added": 0, "left": 0}
    known: dict[str, dict[str, dict]] = {}
    for row in claims_of.read(claims_of.RESULTS):
        known.setdefault(row["file"], {})[row["claim"]] = {k: v for k, v in row.items() if k not in ("file", "stale")}
    for file, rows in known.items():
        command, name = next(iter(rows.values()))["command"], Path(file).stem
        study = next((word for word in command.split() if word.endswith(".py")), "")
        run = next((path for path in (kept / f"{name}.zip", kept / name) if path.exists()), None)
        if not study or run is None:
            say(f"{name}: no run is kept, its claims stand as `{command}` made them")
            tally["left"] += len(rows)
            continue
        made, added = _again(load_module(str(ROOT / study)), run, command, rows, say)
        for old in rows.values():
            new = made.get(old["claim"])
            tally["left" if new is None else "equal" if new is old else "changed"] += 1
            if new not in (None, old):
                say(f"{old['claim']}: {old['value']:.4g} ({old['low']:.4g} to {old['high']:.4g}) before, {new['value']:.4g} ({new['low']:.4g} to {new['high']:.4g})")
        if left := rows.keys() - made.keys():
            say(f"{name}: the kept run does not yield {', '.join(sorted(left))}; they stand as `{command}` made them")
        tally["added"] += len(added)
        if rows | made != rows or added:
            claims_of.write(name, [*(rows | made).values(), *added])
    return tally


def _again(module: ModuleType, run: Path, command: str, rows: dict[str, dict], say: Callable[[str], None]) -> tuple[dict[str, dict], list[dict]]:
    """The known claims as the run yields them, by name, and new ones that are fresh."""
    known, added = {}, []
    with TemporaryDirectory(prefix="ssmd-rebuild-") as scratch:
        store, made = _made(module, run, command, Path(scratch) / name_of(run))
        for row in made:
            old = rows.get(row["claim"])
            if old is not None:
                known[row["claim"]] = old if same(old, row) else old | {field: row[field] for field in TAKEN}
            elif whole := fresh(row, rows, module.STUDY, store, say):
                added.append(whole)
    return known, added


def _made(module: ModuleType, run: Path, command: str, copy: Path) -> tuple[Store, list[dict]]:
    """What a study claims of its kept run, and the store: the run, or a copy if the study computes beside it."""
    with redirect_stdout(StringIO()):    # the study says what it cannot claim whenever it runs
        if is_zip(run):
            with suppress(Kept):
                return (store := Store(run)), module.claims(store, command)
            unpack(Store(run), copy)
        else:
            shutil.copytree(run, copy)
        return (store := Store(copy)), module.claims(store, command)


def same(old: dict, new: dict) -> bool:
    """Equal up to rounding, which differs between machines."""
    return all(math.isclose(old[field], new[field], rel_tol=1e-9, abs_tol=1e-12) for field in NUMBERS) and all(old[f] == new[f] for f in TAKEN if f not in NUMBERS)


def fresh(row: dict, rows: dict[str, dict], study: Study, store: Store, say: Callable[[str], None]) -> dict | None:
    """The row with its command and hashes: those of a claim that rests on the same records; else those of the present code, if it made them."""
    for other in rows.values():
        if {*other["keys"]} == {*row["keys"]}:
            return row | {field: other[field] for field in ("command", "code", "nets", "renewed") if field in other}
    counted = store.latest("counted", "key")
    for key in row["keys"]:
        record = counted.get((key,))
        cell = cell_of(record, study) if record else None
        if record is None or cell is None or record["code"] != cell.code():
            say(f"{row['claim']}: not added, other code made its records; run the study again")
            return None
    return claims_of.stamped([row], store)[0]
