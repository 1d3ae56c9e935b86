"""Placements of a light network, measured: the loss under the judge beyond that of the same sampler with the heavy
network throughout.

Every difference is to the sampler's own host, so a row is known by its host too: `host` is what it is a difference to,
`label` the row's whole name.

Columns: placement, host, label, role (placement | control), metric, unit, x (difference, paired by row), x_low, x_high,
p_holm, saved (share of NFE C), predicted (nats a token by the additive bound, from a measured record of the same two
networks, where a run folder has one). Holm's adjustment covers all rows of the frame that are placements.
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness.kinds import Scores
from harness.spec import brief
from harness.stats.intervals import holm, paired_difference, paired_p
from reports.frame import Chapter
from reports.front import directional, dressed
from reports.names import ARM_SETTINGS
from reports.records import Cell

RESAMPLES = 4000
PUBLISHED = 0.25  # the share that goes without saying
CONTROLS = 6  # at most, those that cost the nearest to a placement


def measured(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    done = chapter.done()
    cells = [chapter.cells[key] for key in done.key]
    placed = [cell for cell in cells if {"host", "placement"} <= set(cell.record["cell"]["sampler"])]
    label = _label(chapter)
    pairs = [(cell, heavy) for cell in placed if (heavy := _heavy(cell, cells)) is not None]
    if label is None or not pairs:
        return pd.DataFrame()
    rows, p = [], []
    about = done.set_index("key")
    for cell, heavy in [*pairs, *_controls(cells, pairs, about.nfe_c)]:
        mine, theirs = _scores(cell, label), _scores(heavy, label)
        if mine is None or theirs is None:
            continue
        row, role = about.loc[cell.record["key"]], "placement" if cell in placed else "control"
        found, name = (
            paired_difference(mine, theirs, RESAMPLES),
            placement_name(cell.record["cell"]["sampler"].get("placement")),
        )
        swapped = role == "placement" and cell.record["cell"]["nets"]["main"] != heavy.record["cell"]["nets"]["main"]
        rows.append(
            {column: row[column] for column in ("arm", "setting", "n")}
            | {"key": cell.record["key"], "placement": f"{name} (networks swapped)" if swapped else name
               or _called(row), "role": role}
            | {"metric": label, "unit": chapter.metrics[label]["unit"], "better": chapter.metrics[label]["better"],
               "x": found.value, "x_low": found.low, "x_high": found.high}
            | {"saved": 1 - row.nfe_c / about.loc[heavy.record["key"]].nfe_c,
               "host": _called(about.loc[heavy.record["key"]])}
            | {"predicted": np.nan if swapped or role == "control" else _predicted(chapter, cell).get(name, np.nan)}
        )
        p.append(paired_p(mine, theirs, RESAMPLES) if role == "placement" else np.nan)
    frame = dressed(chapter, rows, baseline)
    if len(frame):
        frame["label"] = _labels(frame)
        known, frame["p_holm"] = [value for value in p if np.isfinite(value)], np.nan
        frame.loc[frame.role == "placement", "p_holm"] = holm(known)
    return frame


def _called(row: pd.Series) -> str:
    """The arm with the settings that vary in it; where none does, with all of its sampler."""
    return f"{row.arm} {row.setting}" if row.setting else f"{row.arm}: {brief(json.loads(row.sampler))}"


def _labels(frame: pd.DataFrame) -> list[str]:
    """What the row is minus what it is a difference to; rows that are still alike, of arms that differ elsewhere, get
    their arm's name.
    """
    labels = [f"{row.placement} − {row.host}" for row in frame.itertuples()]
    return [f"{row.arm}: {label}" if labels.count(label) > 1 else label for row,
            label in zip(frame.itertuples(), labels)]


def _controls(cells: list[Cell], pairs: list[tuple[Cell, Cell]], nfe_c: pd.Series) -> list[tuple[Cell, Cell]]:
    """Of each host some controls, those that cost the nearest to its placements; no host with others is a control of
    theirs.
    """
    hosts = {heavy.record["key"]: heavy for _, heavy in pairs}
    found = []
    for heavy in hosts.values():
        placed = [cell for cell, host in pairs if host is heavy]
        aim = nfe_c[[cell.record["key"] for cell in placed]].mean()
        mine = [cell for cell in cells if _control(cell, heavy, placed[0]) and cell.record["key"] not in hosts]
        mine = sorted(mine, key=lambda cell: abs(nfe_c[cell.record["key"]] - aim))[: max(1, CONTROLS // len(hosts))]
        found += [(cell, heavy) for cell in mine]
    return found


def _label(chapter: Chapter) -> str | None:
    """The judge, or else the first metric by row in nats, or else the first by row."""
    by_row = [label for label in directional(chapter) if chapter.metrics[label]["per"] == "row"]
    ranked = sorted(by_row, key=lambda label: (chapter.metrics[label]["name"] != "judge",
                                               not chapter.metrics[label]["unit"].startswith("nats")))
    return next(iter(ranked), None)


def _heavy(cell: Cell, cells: list[Cell]) -> Cell | None:
    """The same host sampler with the reference network alone."""
    about, reference = cell.record["cell"], cell.networks.get(cell.study.get("reference", ""))
    for other in cells:
        them = other.record["cell"]
        alike = all(them.get(part) == about.get(part) for part in ARM_SETTINGS)
        if them["sampler"] == about["sampler"]["host"] and them["nets"] == {"main": reference} and alike:
            return other
    return None


def _control(cell: Cell, heavy: Cell, placed: Cell) -> bool:
    """The host sampler with another number in one setting, or with one of the two networks alone."""
    mine, theirs = cell.record["cell"], heavy.record["cell"]
    if (
        mine == theirs
        or mine["sampler"]["name"] != theirs["sampler"]["name"]
        or not set(mine["nets"].values()) <= set(placed.record["cell"]["nets"].values())
    ):
        return False
    other = [value for field, value in mine["sampler"].items() if value != theirs["sampler"].get(field)]
    return not other or len(other) == 1 and isinstance(other[0], (int, float))


def _scores(cell: Cell, label: str) -> Scores | None:
    if label not in cell.scored or cell.scored[label]["status"] != "done":
        return None
    try:
        return Scores(cell.scored[label]["value"], *cell.rows(label))
    except ValueError:
        return None


def placement_name(placement: Mapping | None) -> str:
    match placement:
        case None:
            return ""
        case {"name": "random", "draw": draw}:
            return f"random {draw}"
        case {"name": "segments", "chosen": chosen}:
            return " ".join(map(str, ("segments", *chosen)))
        case {"name": name, "share": share} if share != PUBLISHED:
            return f"{name} {share:g}"
        case {"name": name}:
            return name
    return json.dumps(placement, sort_keys=True)


def _predicted(chapter: Chapter, cell: Cell) -> dict[str, float]:
    """Of each placement, from the newest table that was computed with the same two networks."""
    nets, found = set(cell.record["cell"]["nets"].values()), {}
    for table in chapter.tables:
        if {"placement", "loss"} <= set(table["columns"]) and nets <= {x for x in table.get("settings", {}).values()
                                                                       if isinstance(x, str)}:
            rows = [dict(zip(table["columns"], row)) for row in table["rows"]]
            found = {row["placement"]: row["loss"] for row in rows if row.get("states", "own states") == "own states"}
    return found
