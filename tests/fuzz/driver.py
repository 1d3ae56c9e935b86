"""Makes inputs of every kind in turn, runs each, sorts what happened, and says how far it is."""

import json
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
from typing import NamedTuple

from tests.fuzz.base import Base
from tests.fuzz.case import Case, Files, digest, files, lost, text
from tests.fuzz.child import Ended, Running
from tests.fuzz.kinds import KINDS

GOOD = ("refused", "told", "handled")
OUTCOMES = {
    "refused": "a sentence and an exit code other than 0", "told": "a document and an exit code other than 0",
        "handled": "exit code 0: left out and counted, or harmless",
    "traceback": "a bare traceback", "unforeseen": "exit code 70: caught by the net under everything",
        "crash": "ended by a signal", "hang": "no end in the time given",
    "accepted": "exit code 0 for what must be refused",
        "lost": "something stored or of the user is gone, cut or changed",
        "strayed": "a file was written outside of the folder",
    "leaked": "a password was stored or shown", "mute": "no sentence, or no document",
}
SECRET = "SECRET"      # stands for a password in an address
BARE = ("traceback", "unforeseen", "crash")    # what the claim counts
REAL = 30              # one of so many inputs is run as a user starts it
TRIES = 40             # in a row that give nothing new, before a kind counts as exhausted


class Found(NamedTuple):
    kind: str
    number: int
    case: Case
    outcome: str
    detail: str        # the last line that was said, or what was lost
    place: str         # of a traceback
    seconds: float     # of the processor


def judged(case: Case, ended: Ended, before: Files, after: Files, strays: list[str]) -> tuple[str, str, str]:
    """(outcome, detail, place)"""
    said = [line for line in ended.stderr.splitlines() if line.strip()]
    last = said[-1].strip() if said else ""
    document = _document(ended.stdout)
    if ended.late:
        return "hang", last, ""
    if ended.code < 0:
        return "crash", f"signal {-ended.code}; {last}", ""
    if "Traceback (most recent call last)" in ended.stderr + ended.stdout:
        return "traceback", last, _place(ended.stderr + ended.stdout)
    if ended.code == 70:
        return "unforeseen", last, ""
    if missing := lost(case, ended.code, before, after):
        return "lost", missing, ""
    if strays:
        return "strayed", strays[0], ""
    if SECRET in text(case.words) and (places := [p for p, content in {"stdout": ended.stdout.encode(),
        "stderr": ended.stderr.encode(), **after}.items() if SECRET.encode() in content]):
        return "leaked", f"in {places[0]}", ""
    if ended.code == 0 and case.wrong and (what := case.wrong(before, after)):
        return "accepted", what, ""
    if ended.code == 0:
        return ("accepted" if case.refuse else "handled" if document else "mute"), last, ""
    sentence = last.startswith("ssmd-bench") and len(last.partition(": ")[2]) > 20
    return "refused" if sentence else "told" if document else "mute", last, ""


def _document(stdout: str) -> bool:
    lines = stdout.splitlines()
    try:
        return isinstance(json.loads(lines[-1]), dict) if lines else False
    except (ValueError, RecursionError):
        return False


def _place(said: str) -> str:
    """The innermost file of ours in a traceback."""
    ours = [line.strip() for line in said.splitlines() if line.strip().startswith("File ") and any(f"/{room}/" in line for room in ("harness",
        "reports", "ssmd", "baselines"))]
    if not ours:
        return "?"
    file, line, function = (ours[-1].split(", ") + ["", ""])[:3]
    return f"{'/'.join(file.rstrip(chr(34)).split('/')[-2:])}:{line.removeprefix('line ')} {function.removeprefix('in ')}"


def inputs(seed: int, n: int, base: Base, room: Path, only: Sequence[str] = ()) -> Iterator[tuple[str, int, Case,
    Path, Files]]:
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
            if total % REAL == REAL - 1 and "claims" not in " ".join(case.words):    # those would read and write the repository's
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


def run(seed: int, n: int, jobs: int = 1, only: Sequence[str] = (), watch: Callable[[list[Found]],
    None] = lambda found: None,
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)) -> list[Found]:
    """What happened to n inputs, `jobs` at a time; `watch` sees what there is every fifty."""
    found, begun = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ssmd-fuzz-") as scratch:
        base, room = Base(Path(scratch) / "base"), Path(scratch) / "cases"
        say(f"good material is made, {time.monotonic() - begun:.0f} s")
        begun, waiting, running = time.monotonic(), inputs(seed, n, base, room,
            only), []    # type: ignore[var-annotated]
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
                    after, around = files(folder / "work"), sorted(p.name for p in folder.parent.rglob("*") if folder / "work" not in (p,
                        *p.parents))
                    strays = [path for path in around if path not in ("a", "stdout", "stderr")]
                    found.append(Found(name, number, case, *judged(case, ended, before, after, strays),
                        ended.seconds))
                    _emptied(folder.parent)
                    if len(found) % 50 == 0:
                        bad, spent = sum(f.outcome not in GOOD for f in found), time.monotonic() - begun
                        watch(found)
                        say(f"[fuzz {len(found)}/{n}] {bad} failed, {spent / len(found) * (n - len(found)):.0f} s left")
            time.sleep(0.002)
    return found


def _emptied(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            os.chmod(path, 0o755)
    shutil.rmtree(folder, ignore_errors=True)


def counts(found: Sequence[Found]) -> dict[str, dict[str, int]]:
    """kind -> outcome -> number."""
    table = {name: Counter(f.outcome for f in found if f.kind == name) for name in KINDS}
    return {name: {outcome: of[outcome] for outcome in OUTCOMES if of[outcome]} for name, of in table.items() if of}


def report(found: Sequence[Found]) -> str:
    """Markdown: every failure, those of one place together."""
    lines, bad = [], [f for f in found if f.outcome not in GOOD]
    groups: dict[tuple, list[Found]] = {}
    for f in bad:
        groups.setdefault((f.outcome, f.place, f.detail[:60] if f.outcome in BARE else f.kind), []).append(f)
    for (outcome, place, about), group in sorted(groups.items(), key=lambda item: (list(OUTCOMES).index(item[0][0]),
        -len(item[1]))):
        lines.append(f"\n## {outcome} {place} {about} ({len(group)})\n")
        lines += [f"- {f.kind}-{f.number}: `{text(f.case.words)[:200]!a}` {dict(f.case.environment) or ''} {f.detail[:240]!a}" for f in group[:6]]
    spent = {name: [f.seconds for f in found if f.kind == name] for name in KINDS}
    lines += ["\n## seconds of the processor an input\n",
        *(f"- {name}: {sum(of) / len(of):.2f}, at most {max(of):.2f}" for name, of in spent.items() if of)]
    return "\n".join(lines) + "\n"
