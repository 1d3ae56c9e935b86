"""What happened to an input: one word, what was said of it, and where in our files it went wrong."""

import json
from typing import NamedTuple

from tests.fuzz.case import Case, Files, lost, text
from tests.fuzz.child import Ended

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
HELP = {"-h", "--help"}
SECRET = "SECRET"      # stands for a password in an address
BARE = ("traceback", "unforeseen", "crash")    # what the claim counts
ROOMS = ("harness", "reports", "ssmd", "baselines")


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
        kept = b"".join(content for path, content in after.items() if "ssmd-bench-error-" in path
                        and path not in before)
        return "unforeseen", last, _place(kept.decode("utf-8", "replace"))
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
        helped = not HELP.isdisjoint(case.words) and bool(ended.stdout)
        return ("accepted" if case.refuse and not helped else "handled" if document or helped else "mute"), last, ""
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
    files = (line.strip() for line in said.splitlines() if line.strip().startswith("File "))
    ours = [line for line in files if any(f"/{room}/" in line for room in ROOMS)]
    if not ours:
        return "?"
    file, line, function = (ours[-1].split(", ") + ["", ""])[:3]
    return (f"{'/'.join(file.rstrip(chr(34)).split('/')[-2:])}:{line.removeprefix('line ')} "
            f"{function.removeprefix('in ')}")
