"""What several verbs of the command line do with their options."""

import sys
from pathlib import Path

from harness.boundary.incoming import read_text
from harness.records.places import is_run
from harness.records.store import Store
from harness.spec import set_field


def changed(settings, changes: list[str]):
    for change in changes:
        path, equals, text = change.partition("=")
        if not equals:
            raise ValueError(f"--set {change!r} must read FIELD=VALUE")
        settings = set_field(settings, path, text)
    return settings


def opened(run: Path, strict: bool = False) -> Store:
    """The store of a run that is there; one that is not would be created. If `strict`, ValueError for a line that is no
    whole record.
    """
    if not is_run(run):
        raise ValueError(f"{run} is not a run folder, it has no records.jsonl: give one that `ssmd-bench run` wrote")
    return Store(run, strict=strict)


def between_marks(path: Path, mark: str, text: str) -> str:
    """A Markdown file with what stands between <!-- mark --> and <!-- /mark --> replaced. Raises ValueError for one
    without the marks.
    """
    head, begin, rest = read_text(path, "give a Markdown file saved as UTF-8").partition(f"<!-- {mark} -->")
    _, end, tail = rest.partition(f"<!-- /{mark} -->")
    if not (begin and end):
        raise ValueError(f"{path} has no <!-- {mark} --> ... <!-- /{mark} --> to write between")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def why_unscored(store: Store, tally: dict) -> dict[str, str]:
    """Of each metric that failed in this run, why: its last scores are ours. It is said on stderr too."""
    newest = store.of("scored")[-tally["scored"] - tally["unscored"]:]
    reasons = {r["label"]: r["reason"] for r in newest if r["status"] == "failed"}
    for label, reason in reasons.items():
        print(f"ssmd-bench: {label} has no score: {reason}; the samples are kept, and the same command scores them "
              "again", file=sys.stderr)
    return reasons
