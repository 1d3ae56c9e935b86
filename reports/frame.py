"""Records -> chapters: for each question one pandas frame, one row a cell, with costs, scores and seconds and their
intervals.

A question is a data set with its prompts, n, seed and reference network (records.Cell.question): cells of different
questions never share a figure. Columns of the frame:

    arm, setting, key, run, study, sampler, status, reason, control, inert, unproven, left, collapsed, n, batch, seed,
    temperature, nucleus, nucleus_keep
    nfe_a, nfe_b, nfe_c      needed by a row, conventions A, B, C (harness/sampling/ledger.py); with .low and .high
    executed_a, executed_over_needed, gflop (executed, a row), tokens (a row)
    seconds                  a row: mean over processes of the median repetition; with .low, .high, .n (processes),
                             .busy (most of the device that other work took)
    tpf, tpf_all, token_forwards, accept_length, accept_beside, order, empty    reports/tokens.py
    LABEL                    the value of each metric; with .low and .high where it is a ratio of sums over rows

Intervals are those of harness.stats.intervals.ratio_interval, computed for all columns at once.
"""

import json
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.records.store import Store
from harness.stats.intervals import Interval, ratio_interval, resampled_sums, tail_share
from reports import alike, collapsed, tokens
from reports.asked import Asked, asked, remarks
from reports.busy import BUSY, percent
from reports.metrics import identity, metrics_of
from reports.names import ARM_SETTINGS, arm_names, settings_of
from reports.records import Cell, Records
from reports.text import named, plain, spaced

COSTS = ("nfe_a", "nfe_b", "nfe_c")
NEAR = 32  # passes of the setting of an arm that stands for it, where one must
DOUBTS = ("inert", "unproven", "collapsed", "left")  # flags of a point


class Chapter(NamedTuple):
    name: str
    frame: pd.DataFrame
    metrics: dict[str, dict]  # label -> {"name", "better", "unit", "per", "metric"}
    cells: dict[str, Cell]  # key -> cell
    arms: list[str]  # that are no controls, in the order of the studies
    controls: list[str]
    troubles: list[dict]  # what is missing: {"what", "arm", "setting", "reason"}
    tables: list[dict]  # measured records of all run folders
    palette: list[str]  # arms of the whole report: one colour and marker an arm everywhere
    asked: Asked  # what its studies ask for
    warnings: list[str]  # sentences that belong at the head

    def done(self, arm: str | None = None) -> pd.DataFrame:
        """The finished cells that their study asks for: what figures, fronts and ratios are made of."""
        found = self.frame[(self.frame.status == "done") & ~self.frame.left
                           & (self.frame.control if arm in self.controls else ~self.frame.control)]
        return found if arm is None else found[found.arm == arm]

    def stores(self) -> list[Store]:
        """Of its cells, one a run folder."""
        return list({cell.store.folder: cell.store for cell in self.cells.values()}.values())


def chapters(records: Records) -> list[Chapter]:
    questions: dict[str, list[Cell]] = {}
    for cell in records.cells:
        questions.setdefault(cell.question(), []).append(cell)
    everywhere = {cell.record["key"]: cell for cell in records.cells}
    found = [_chapter(cells, records.tables, asked(cells, records.studies, everywhere), everywhere)
             for cells in questions.values()]
    names = [chapter.name for chapter in found]
    # the most rows of a study first
    found.sort(key=lambda chapter: (names.index(chapter.name), -chapter.frame.n.max()))
    palette = list(dict.fromkeys(arm for chapter in found for arm in chapter.arms))
    return [chapter._replace(name=_told_apart(chapter, found), palette=palette) for chapter in found]


def _told_apart(chapter: Chapter, chapters: Sequence[Chapter]) -> str:
    """Its name, and in what it differs from other chapters of that name."""
    about, parts = [next(iter(c.cells.values())).record["cell"] for c in chapters if c.name == chapter.name], []
    mine = next(iter(chapter.cells.values()))
    for part, words in (("n", "n = {:,}"), ("seed", "seed {}"), ("prompt", "prompt {}")):
        if len({json.dumps(other[part], sort_keys=True) for other in about}) > 1:
            parts.append(words.format(mine.record["cell"][part]) if mine.record["cell"][part] is not None
                         else f"no {part}")
    if len(about) > 1 and not parts:
        parts = [" and ".join(dict.fromkeys(str(cell.store.folder) for cell in chapter.cells.values()))]
    return ", ".join([chapter.name, *parts])


def _chapter(cells: list[Cell], tables: list[dict], wanted: Asked, everywhere: Mapping[str, Cell]) -> Chapter:
    names = arm_names(cells)
    settings = settings_of(cells, names)
    troubles: list[dict] = remarks(wanted, names, settings)

    def trouble(what: str, cell: Cell, reason: str) -> None:
        key = cell.record["key"]
        troubles.append({"what": what, "arm": names[key], "setting": settings[key], "reason": reason, "key": key})

    newest = _newest(cells)
    rows = [_row(cell, names, settings, newest[_maker(cell)], trouble) for cell in cells]
    metrics = metrics_of(cells)
    machine = machine_of(cells)
    pairs: dict[tuple[int, str], tuple[np.ndarray, np.ndarray]] = {}
    for k, cell in enumerate(cells):
        if rows[k]["status"] != "done":
            continue
        _score(cell, metrics, rows[k], pairs, k, trouble)
        _time(cell, machine, rows[k], trouble)
        if not rows[k]["control"]:
            try:
                pairs |= {(k, name): (column, np.ones(len(column))) for name, column in zip(COSTS, cell.costs().T)}
                pairs |= {(k, name): pair for name, pair in tokens.pairs(cell.store, cell.record).items()}
            except ValueError as error:
                trouble("costs by row missing", cell, str(error))
    for (k, column), found in intervals(pairs).items():
        rows[k] |= {column: found.value, f"{column}.low": found.low, f"{column}.high": found.high}
    troubles += _beside_other_work(rows)
    troubles += alike.remarks(cells, names, settings)
    fallen = collapsed.marked(cells, rows, metrics)
    for cell, row in zip(cells, rows):
        row |= {"left": row["key"] in wanted.left, "collapsed": row["key"] in fallen}
        if row["collapsed"]:
            trouble("collapsed", cell, f"{fallen[row['key']][1]}: it repeats, and is on no front and in no ratio")
    troubles += [remark] if (remark := collapsed.unseen(metrics)) else []
    studies = {cell.study["name"]: cell.study for cell in cells}
    order = [arm for study in studies.values() for arm in study.get("arms", ())]
    troubles += _silent(studies, {cell.record["arm"] for cell in everywhere.values()}, wanted)
    frame = pd.DataFrame(rows)
    for column in (*DOUBTS, "control"):
        frame[column] = frame[column].astype(bool)
    rank = {arm: k for k, arm in reversed(list(enumerate(order)))}
    frame["_rank"] = [rank.get(cell.record["arm"], len(rank)) for cell in cells]
    frame = frame.sort_values(["_rank", "arm", "nfe_a"], kind="stable", ignore_index=True).drop(columns="_rank")
    arms = {control: list(dict.fromkeys(frame.arm[frame.control == control])) for control in (False, True)}
    keyed = {cell.record["key"]: cell for cell in cells}
    warnings = collapsed.warnings(rows, {key: why for key, why in fallen.items() if key not in wanted.left})
    return Chapter(" + ".join(map(plain, studies)), frame, metrics, keyed, arms[False], arms[True], troubles, tables,
                   arms[False], wanted, warnings)


def _beside_other_work(rows: Sequence[dict]) -> list[dict]:
    """One remark an arm."""
    arms: dict[str, list[dict]] = {}
    for row in rows:
        if row.get("seconds.busy", 0) > BUSY:
            arms.setdefault(row["arm"], []).append(row)
    reason = "other work took up to {} of the device: these seconds are too long"
    return [
        {"what": "timed beside other work", "arm": arm, "setting": named(row["setting"] for row in mine), "key": ""}
        | {"reason": reason.format(percent(max(row["seconds.busy"] for row in mine)))}
        for arm, mine in arms.items()
    ]


def _silent(studies: Mapping[str, dict], told: set[str], wanted: Asked) -> list[dict]:
    """Arms without a cell in any chapter, of studies whose record does not hold the cells that it asks for."""
    older = {name for name, why in wanted.unknown if why == "older"}
    reason = ("the study {} names this arm and no cell bears its name: none was run, or another study has counted the "
              "same cells under another name")
    return [
        {"what": "no record", "arm": spaced(plain(arm)), "setting": "", "reason": reason.format(plain(name)), "key": ""}
        for name, study in studies.items()
        if name in older
        for arm in study.get("arms", ())
        if arm not in told
    ]


def _row(cell: Cell, names: dict, settings: dict, newest: str, trouble) -> dict:
    record, about = cell.record, cell.record["cell"]
    cost, key = record.get("cost") or {}, record["key"]
    unproven = record["status"] == "done" and newest not in cell.trees
    if record["status"] != "done":
        trouble(record["status"], cell, record.get("reason", ""))
    if others := record.get("also"):
        trouble("shared", cell,
                f"a point of {named(others)} too, of equal settings: sampled once, and drawn under this name alone")
    if record.get("inert"):
        trouble("inert", cell, "it did next to nothing of what it is for: fewer than 1.05 tokens a draft pass")
    if cost.get("priced"):
        trouble("priced", cell, "billed as with kept keys and values, and run whole: seconds are of whole passes")
    if unproven:
        trouble("unproven", cell,
                f"counted by the sources {cell.trees[0]}, and no proof says that those of {newest} give the same: run "
                "the study again, or `ssmd-bench prove`")
    return {
        "arm": names[key],
        "setting": settings[key],
        "key": key,
        "run": str(cell.store.folder),
        "study": cell.study["name"],
        "sampler": json.dumps(about["sampler"], sort_keys=True),
        "status": record["status"],
        "reason": record.get("reason", ""),
        "control": bool(record.get("control")),
        "inert": bool(record.get("inert")),
        "unproven": unproven,
        "n": about["n"],
        "batch": about["batch"],
        "seed": about["seed"],
        **{part: about.get(part, usual) for part, usual in ARM_SETTINGS.items()},
        **{name: cost.get(name, np.nan) for name in (*COSTS, "executed_a", "executed_over_needed", "gflop")},
        "tokens": cost["tokens"] / about["n"] if "tokens" in cost else np.nan,
    }


def _score(cell: Cell, metrics: dict, row: dict, pairs: dict, k: int, trouble) -> None:
    for label in cell.outdated:
        trouble("score outdated", cell, f"{label} was computed for samples that have been drawn anew since")
    for label, found in cell.scored.items():
        if found["status"] != "done":
            trouble("metric failed", cell, f"{label}: {found.get('reason', '')}")
        elif identity(found) != metrics[label]["identity"]:
            trouble("metric differs", cell,
                    f"{label} was computed with other settings, code or judge than its newest score: left out")
        else:
            row[label] = found["value"]
            if found["per"] == "row":
                try:
                    pairs[k, label] = tuple(cell.rows(label))
                except ValueError as error:
                    trouble("scores by row missing", cell, str(error))


def _time(cell: Cell, machine: str | None, row: dict, trouble) -> None:
    mine = times_of(cell, machine)
    if elsewhere := {t["machine"] for t in cell.timed} - {machine}:
        trouble("time left out", cell,
                f"timed on {', '.join(sorted(elsewhere))}, and the seconds shown are those of {machine}")
    if differing := [t for t in mine if not t.get("same_output", True)]:
        trouble(
            "timed output differs",
            cell,
            f"in {max(t['differing_rows'] for t in differing)} of {differing[0]['rows']} rows, in {len(differing)} of "
            f"{len(mine)} processes{cell.other_batch(differing)}",
        )
    known = [t["busy"] for t in mine if t.get("busy") is not None]
    seconds = [median(t["seconds"]) / t["rows"] for t in mine]
    if seconds:
        row |= {"seconds": float(np.mean(seconds)), "seconds.n": len(seconds), "timed_rows": mine[0]["rows"],
                "seconds.busy": max(known, default=np.nan)}
    if len(seconds) > 1:
        found = ratio_interval(seconds, np.ones(len(seconds)))
        row |= {"seconds.low": found.low, "seconds.high": found.high}


def span(row: Mapping | pd.Series, column: str) -> tuple[float, float, float]:
    """(value, low, high) of a row with columns NAME, NAME.low and NAME.high; NaN for what it lacks."""
    return row.get(column, np.nan), row.get(f"{column}.low", np.nan), row.get(f"{column}.high", np.nan)


def from_near(passes: pd.Series) -> pd.Series:
    """How far each is from NEAR, in ln."""
    return (np.log(passes.clip(lower=1e-9)) - np.log(NEAR)).abs()


def times_of(cell: Cell, machine: str | None) -> list[dict]:
    """The timed records of these samples on one machine."""
    sha = cell.record.get("samples_sha256")
    return [t for t in cell.timed if t["machine"] == machine and t["samples_sha256"] == sha and t["seconds"]]


def intervals(pairs: dict, resamples: int = 2000) -> dict[tuple, Interval]:
    """harness.stats.intervals.ratio_interval of every (numerator, denominator), each (n,); those that have none are
    left out.
    """
    found: dict[tuple, Interval] = {}
    for n in {len(pair[0]) for pair in pairs.values()} - {0, 1}:
        keys, tail = [key for key, pair in pairs.items() if len(pair[0]) == n], tail_share(0.95, n)
        for start in range(0, len(keys), 256):
            chunk = keys[start : start + 256]
            # (1 + resamples, 2 m)
            sums = resampled_sums(np.stack([column for key in chunk for column in pairs[key]], 1), resamples, seed=0)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratios = sums[:, ::2] / sums[:, 1::2]  # (1 + resamples, m)
            lows, highs = np.quantile(ratios[1:], (tail, 1 - tail), axis=0)
            whole = np.isfinite(ratios).all(0)
            found |= {key: Interval(float(ratios[0, m]), float(lows[m]), float(highs[m]), n, 0.95) for m,
                      key in enumerate(chunk) if whole[m]}
    return found


def _maker(cell: Cell) -> tuple[str, ...]:
    """Cells of one answer are sampled by the same code."""
    about = cell.record["cell"]
    return about["sampler"]["name"], *sorted((about.get("nets") or {}).values())


def _newest(cells: Sequence[Cell]) -> dict[tuple[str, ...], str]:
    """The sources by which a cell of each sampler with its networks was counted or proven last."""
    return {_maker(cell): cell.trees[-1] for cell in sorted(cells, key=lambda cell: cell.known_at) if cell.trees}


def machine_of(cells: Sequence[Cell]) -> str | None:
    """The machine whose times are shown: the one that timed the most cells."""
    timed = [name for cell in cells for name in {t["machine"] for t in cell.timed}]
    return max(sorted(set(timed)), key=timed.count, default=None)
