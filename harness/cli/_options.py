"""What several verbs of the command line do with their options."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.boundary.incoming import read_text
from harness.records.places import is_run
from harness.records.store import Store
from harness.spec import from_json, set_field

if TYPE_CHECKING:    # loads torch
    from harness.study import Study


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


def prompted(study: "Study", data: Any) -> "Study":
    """The study with prompts of other data in the place of its own."""
    return replace(study, data=data, prompt=0.0, scattered=False)


def as_prompted(study: "Study", store: Store) -> "Study":
    """The study with the prompts that its run was given, if it was (`run --prompts`)."""
    given = next((record.get("data") for record in reversed(store.of("study"))), None)
    if not isinstance(given, dict) or given.get("name") != "blanks":
        return study
    return prompted(study, from_json("rows", given))


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
