"""Makes inputs of every kind in turn, runs each, sorts what happened, and says how far it is."""

import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from tests.fuzz.base import Base
from tests.fuzz.case import Case, Files, digest, files
from tests.fuzz.child import SAID, Running
from tests.fuzz.kinds import KINDS
from tests.fuzz.outcome import GOOD, Found, judged

REAL = 30              # one of so many inputs is run as a user starts it
MEMORY = "/dev/shm"    # a disk would be waited for at every record
TRIES = 40             # in a row that give nothing new, before a kind counts as exhausted


Item = tuple[str, int, Case, Path, Files]    # kind, number, input, folder, and the files in it


def inputs(seed: int, n: int, base: Base, room: Path, only: Sequence[str] = ()) -> Iterator[Item]:
    """n different inputs, kinds in turn by their shares; each stands in ROOM/KIND-NUMBER/a/work."""
    kinds = {name: kind for name, kind in KINDS.items() if not only or name in only}
    rngs = {name: Random(f"{seed} {name}") for name in kinds}
    made, seen, spent = Counter(), set(), set()    # type: ignore[var-annotated]
    for total in range(n):
        waiting = [name for name in kinds if name not in spent]
        if not waiting:
            return
        name = min(waiting, key=lambda name: (made[name] / kinds[name].share, name))
        for _ in range(TRIES):
            folder = room / f"{name}-{made[name]}" / "a"
            (folder / "work").mkdir(parents=True)
            case = kinds[name].make(rngs[name], base, folder / "work")
            whole = " ".join(case.words)
            # the first would write to the repository; a word ends at a NUL
            if total % REAL == REAL - 1 and "claims" not in whole and "\0" not in whole:
                case = replace(case, outside=True)
            before = files(folder / "work")
            if (key := digest(case, before)) not in seen:
                seen.add(key)
                yield name, made[name], case, folder, before
                made[name] += 1
                break
            shutil.rmtree(folder.parent)
        else:
            spent.add(name)


def run(seed: int, n: int, jobs: int = 1, only: Sequence[str] = (),
        watch: Callable[[list[Found]], None] = lambda found: None,
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)) -> list[Found]:
    """What happened to n inputs, `jobs` at a time; `watch` sees what there is every fifty."""
    found, begun = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ssmd-fuzz-", dir=MEMORY if os.access(MEMORY, os.W_OK)
                                     else None) as scratch:
        base, room = Base(Path(scratch) / "base"), Path(scratch) / "cases"
        say(f"good material is made, {time.monotonic() - begun:.0f} s")
        begun, waiting = time.monotonic(), inputs(seed, n, base, room, only)
        running: list[tuple[tuple, Running]] = []
        left = True
        while left or running:
            while left and len(running) < jobs:
                if (item := next(waiting, None)) is None:
                    left = False
                else:
                    running.append((item, Running(item[2], item[3])))
            for one in list(running):
                (name, number, case, folder, before), process = one
                if ended := process.ended():
                    running.remove(one)
                    after, strays = files(folder / "work"), strayed(folder)
                    found.append(Found(name, number, case, *judged(case, ended, before, after, strays), ended.seconds))
                    _emptied(folder.parent)
                    if len(found) % 50 == 0:
                        bad, spent = sum(f.outcome not in GOOD for f in found), time.monotonic() - begun
                        watch(found)
                        say(f"[fuzz {len(found)}/{n}] {bad} failed, {spent / len(found) * (n - len(found)):.0f} s left")
            time.sleep(0.002)
    return found


def strayed(folder: Path) -> list[str]:
    """Files beside the working folder that are not ours."""
    around = [p for p in sorted(folder.parent.rglob("*")) if folder / "work" not in (p, *p.parents)]
    return [p.name for p in around if p.name not in ("a", *SAID)]


def _emptied(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            os.chmod(path, 0o755)
    shutil.rmtree(folder, ignore_errors=True)
