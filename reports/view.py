"""What a reader wants to see of a run: some arms and metrics, under names of one's own, and columns of the table.

    [arms]
    ssmd_dilated = "SSMD, dilated"        # as the study names it, or as the page does

    [metrics]
    spelling = "words spelt right"

A file of labels (TOML). All that a page says is of what is left; records, and claims, are as they were, and tables in
CSV, which programs read, have no labels.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from harness.boundary.incoming import read_text
from harness.boundary.nearest import meant
from reports.frame import Chapter
from reports.names import arm_names
from reports.text import plain

KINDS = ("arms", "metrics")
MOST = 8    # names that a sentence lists


class View(NamedTuple):
    arms: Sequence[str] = ()       # those that are shown; all, where none is named
    metrics: Sequence[str] = ()
    labels: Mapping[str, Mapping[str, str]] = {}    # "arms" and "metrics": name -> label
    columns: Sequence[str] = ()    # of the table of points: nfe_a, seconds, a metric, ...
    margins: Mapping[str, float] = {}    # metric -> worse by less counts as equal (reports/matched.py)


ALL = View()


def labels_of(path: Path) -> dict[str, dict[str, str]]:
    """Raises ValueError, in a sentence, for a file of another form."""
    try:
        found = tomllib.loads(read_text(path, "give a TOML file saved as UTF-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is no TOML ({error}): write [arms] and [metrics], and under them NAME = \"label\""
                         ) from None
    if odd := set(found) - {*KINDS}:
        raise ValueError(f"{path} has a table [{sorted(odd)[0]}]{meant(sorted(odd)[0], KINDS) or '; write'} [arms] or "
                         "[metrics]")
    for kind, table in found.items():
        if not isinstance(table, dict) or not all(isinstance(v, str) and v.strip() for v in table.values()):
            raise ValueError(f"{path}: [{kind}] must hold NAME = \"label\" alone")
    return found


def viewed(chapters: Sequence[Chapter], view: View) -> list[Chapter]:
    """The chapters as they are to be seen; those of which no arm is left are left out. Raises ValueError, in a
    sentence, for a name that no chapter has.
    """
    arms = {arm: called for chapter in chapters for arm, called in named(chapter).items()}
    metrics = {label: "" for chapter in chapters for label in chapter.metrics}
    for kind, asked, known in (("arm", [*view.arms, *view.labels.get("arms", ())], arms),
                               ("metric", [*view.metrics, *view.labels.get("metrics", ())], metrics)):
        for name in asked:
            if name not in known and name not in known.values():
                raise ValueError(f"these runs have no {kind} {name!r}{probably(name, known)}")
    shown = {name for label in metrics for name in (label, view.labels.get("metrics", {}).get(label, label))}
    for name in view.margins:
        if name not in shown:
            raise ValueError(f"these runs have no metric {name!r}{probably(name, metrics)}")
    left = [part for chapter in chapters if (part := _chosen(chapter, view)).arms]
    palette = list(dict.fromkeys(arm for chapter in left for arm in chapter.arms))
    return [_renamed(chapter._replace(palette=palette), view.labels) for chapter in left]


def probably(name: str, known: Mapping[str, str]) -> str:
    """The end of a sentence that refuses a name: the one that was meant, by a slip or by its beginning, or the first
    MOST of all there are.

    >>> probably("ssm", {"ssmd": "self-speculative", "mdlm": "mdlm"})
    "; did you mean 'ssmd'?"
    >>> probably("x", {"ssmd": "self-speculative", "mdlm": "mdlm"})
    ': name one of mdlm, ssmd'
    """
    names = [*known, *filter(None, known.values())]
    if found := meant(name, names):
        return found
    if begun := [other for other in names if name and other.lower().startswith(name.lower())]:
        return f"; did you mean {begun[0]!r}?"
    first, more = sorted(known)[:MOST], len(known) - MOST
    further = f", or of {more} more, which a report of all shows" if more > 0 else ""
    return f": name one of {', '.join(first)}{further}"


def named(chapter: Chapter) -> dict[str, str]:
    """Arm of the study -> what the page calls it."""
    called = dict(zip(chapter.frame.key, chapter.frame.arm))
    return {cell.record["arm"]: called[key] for key, cell in chapter.cells.items()}


def unlabelled(frame: pd.DataFrame, chapter: Chapter, view: View) -> pd.DataFrame:
    """A table of the chapter as it would be without labels, for programs that read it: names of columns, of arms and of
    metrics.
    """
    if not any(view.labels.values()) or frame.empty:
        return frame
    metrics = {plain(word): label for label, word in view.labels.get("metrics", {}).items()
               if plain(word) in chapter.metrics}
    called, shown = arm_names([*chapter.cells.values()]), zip(chapter.frame.key, chapter.frame.arm)
    arms = {arm: called[key] for key, arm in shown}
    frame = frame.rename(columns={f"{word}{end}": f"{label}{end}" for word, label in metrics.items()
                                  for end in ("", ".low", ".high")})
    known = {"arm": arms, "baseline": arms, "metric": metrics, "side": metrics}
    return frame.assign(**{column: [back.get(value, value) for value in frame[column]]
                           for column, back in known.items() if column in frame})


def _chosen(chapter: Chapter, view: View) -> Chapter:
    """Controls stay: they are what the others are read against."""
    if view.arms:
        names = named(chapter)
        kept = {names.get(arm, arm) for arm in view.arms} | {*chapter.controls}
        frame = chapter.frame[chapter.frame.arm.isin(kept)].reset_index(drop=True)
        chapter = chapter._replace(
            frame=frame, cells={key: chapter.cells[key] for key in frame.key},
            arms=[arm for arm in chapter.arms if arm in kept],
            troubles=[t for t in chapter.troubles if t["arm"] in kept or t["arm"] not in names.values()])
    if view.metrics:
        gone = [label for label in chapter.metrics if label not in view.metrics]
        chapter = chapter._replace(
            metrics={label: chapter.metrics[label] for label in view.metrics if label in chapter.metrics},
            frame=chapter.frame.drop(columns=[f"{label}{end}" for label in gone for end in ("", ".low", ".high")],
                                     errors="ignore"),
            cells={key: cell._replace(scored={k: v for k, v in cell.scored.items() if k not in gone})
                   for key, cell in chapter.cells.items()})
    return chapter


def _renamed(chapter: Chapter, labels: Mapping[str, Mapping[str, str]]) -> Chapter:
    names = named(chapter)
    arms = {name: plain(label) for arm, label in labels.get("arms", {}).items() for name in (names.get(arm, arm),)}
    metrics = {label: plain(word) for label, word in labels.get("metrics", {}).items() if label in chapter.metrics}
    columns = {f"{label}{end}": f"{word}{end}" for label, word in metrics.items() for end in ("", ".low", ".high")}
    frame = chapter.frame.rename(columns=columns)
    frame["arm"] = [arms.get(arm, arm) for arm in frame.arm]
    called = [[arms.get(arm, arm) for arm in some] for some in (chapter.arms, chapter.controls, chapter.palette)]
    if clash := {name for some in (called[0] + called[1], [metrics.get(m, m) for m in chapter.metrics])
                 for name in some if some.count(name) > 1}:
        raise ValueError(f"two would be called {sorted(clash)[0]!r}: give each a label of its own")
    return chapter._replace(
        frame=frame, arms=called[0], controls=called[1], palette=called[2],
        metrics={metrics.get(label, label): about for label, about in chapter.metrics.items()},
        cells={key: cell._replace(scored={metrics.get(k, k): v for k, v in cell.scored.items()})
               for key, cell in chapter.cells.items()},
        troubles=[t | {"arm": arms.get(t["arm"], t["arm"])} for t in chapter.troubles])
