"""What the studies of a chapter ask for, by the cells that their records hold: what has no record, what lacks a score,
what has left the study.

A study's record names its cells (harness/records/record.py). The newest record of the whole study says what belongs to
it; one of chosen arms (--only) replaces those arms, one of other settings (--set) adds to them, and a search keeps no
list. Records of an older version hold no cells: then nothing is known, and nothing said.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reports.records import Cell
from reports.text import named, plain, spaced

UNKNOWN = {
    "search": "The points of {} were chosen by a search, which asks for no list of cells.",
    "older": "How many cells {} asks for is not known: its record was written by an older version, or by other means, "
    "and holds no list of them.",
}


class Asked(NamedTuple):
    cells: Mapping[str, tuple[str, str]]  # key -> arm and settings, of all studies together
    missing: list[str]  # keys without a record
    left: set[str]  # keys of cells that their study no longer asks for
    unscored: Mapping[str, list[str]]  # key -> labels of its study that it has no score of
    unknown: list[tuple[str, str]]  # studies whose cells are not known, and why
    waiting: set[str]  # missing keys of which shards are stored


def asked(cells: Sequence[Cell], studies: Sequence[tuple[Path, dict]], everywhere: Mapping[str, Cell]) -> Asked:
    """Of a chapter's cells; `studies` are the records of all run folders, the oldest first; `everywhere` the cells of
    all chapters by key.
    """
    mine, about = {cell.record["key"]: cell for cell in cells}, cells[0].record["cell"]
    places = {(cell.store.folder, cell.study["name"]) for cell in cells}
    stores = {cell.store.folder: cell.store for cell in cells}
    current: dict[
        tuple[Path, str], dict[str, dict[str, list[str]]]
    ] = {}  # (folder, study) -> arm -> key -> [arm, settings]
    labels: dict[tuple[Path, str], list[str]] = {}
    journals = {folder for folder, store in stores.items() if store.searched()}
    whole, searched = set(), {place for place in places if place[0] in journals}
    for folder, study in studies:
        place, listed = (folder, study["name"]), study.get("cells")
        if study.get("asks") == "search":
            searched.add(place)
        if not listed or not (
            listed.keys() & mine.keys()
            or place in places
            and _alike(study, about)
            and not listed.keys() & everywhere.keys()
        ):
            continue
        arms: dict[str, dict[str, list[str]]] = {}
        for key, point in listed.items():
            arms.setdefault(point[0], {})[key] = point
        now = current.setdefault(place, {})
        if study["asks"] == "variant":
            for arm, theirs in arms.items():
                now[arm] = now.get(arm, {}) | theirs
        else:
            current[place] = arms if study["asks"] == "all" else now | arms
            whole |= {place} if study["asks"] == "all" else set()
        labels[place] = study.get("labels", [])
    points = {
        key: (point[0], point[1])
        for arms in current.values()
        for listed in arms.values()
        for key, point in listed.items()
    }
    left = {
        key
        for key, cell in mine.items()
        if key not in points and (place := (cell.store.folder, cell.study["name"])) in whole and place not in searched
    }
    unscored = {}
    for place, arms in current.items():
        for key in (
            key for listed in arms.values() for key in listed if key in mine and mine[key].record["status"] == "done"
        ):
            if lacking := [
                label for label in labels[place] if label not in mine[key].scored and label not in mine[key].outdated
            ]:
                unscored[key] = lacking
    unknown = [
        (place[1], "search" if place in searched else "older") for place in sorted(places) if place not in current
    ]
    sharded = {record.get("key", "") for store in stores.values() for record in store.of("shard")}
    missing = [key for key in points if key not in everywhere]
    return Asked(points, missing, left, unscored, list(dict.fromkeys(unknown)), sharded & set(missing))


def _alike(study: Mapping, cell: Mapping) -> bool:
    """Whether the study's cells would be of the question of this one, as far as its record says."""
    share = (cell.get("prompt") or {}).get("share", 0)
    return (study.get("n"), study.get("seed"), study.get("prompt")) == (cell["n"], cell["seed"], share)


def remarks(found: Asked, names: Mapping[str, str], settings: Mapping[str, str]) -> list[dict]:
    """What is missing or has left, as rows of the page's table."""
    rows: list[dict] = []
    arms: dict[str, list[str]] = {}
    for key in found.missing:
        arms.setdefault(found.cells[key][0], []).append(key)
    for arm, keys in arms.items():
        of = sum(point[0] == arm for point in found.cells.values())
        reason = (
            f"{len(keys)} of {of} points that the study asks for {'have' if len(keys) > 1 else 'has'} no record: "
            "run its command again, which computes what is missing"
        )
        if waiting := found.waiting & set(keys):
            reason += f"; of {len(waiting)} there are shards, which the command without --shard unites"
        rows.append(
            {
                "what": "no record",
                "arm": spaced(plain(arm)),
                "setting": named(plain(found.cells[key][1]) for key in keys),
                "reason": reason,
                "key": "",
            }
        )
    lacking: dict[tuple[str, str], list[str]] = {}
    for key, labels in found.unscored.items():
        for label in labels:
            lacking.setdefault((names[key], label), []).append(key)
    for (arm, label), keys in lacking.items():
        reason = (
            f"{label} has no score in {len(keys)} of its points: "
            "run the study's command again, which scores what is stored"
        )
        rows.append(
            {
                "what": "not scored",
                "arm": arm,
                "setting": named(settings[key] or "its point" for key in keys),
                "reason": reason,
                "key": "",
            }
        )
    reason = (
        "the study no longer asks for this setting: it stands in the table of points, and in no figure, front or ratio"
    )
    rows += [
        {"what": "left the study", "arm": names[key], "setting": settings[key], "reason": reason, "key": key}
        for key in names
        if key in found.left
    ]
    return rows


def sentence(found: Asked) -> str:
    """How many cells were asked for, and how many of them are here."""
    parts, count = [], len(found.cells)
    here = f"{len(found.missing)} of them have no record" if found.missing else "each has a record"
    if count == 1:
        parts.append(f"The study asks for 1 cell, which has {'no' if found.missing else 'a'} record.")
    elif count:
        parts.append(f"The study asks for {count} cells: {here}.")
    for name, why in found.unknown:
        parts.append(UNKNOWN[why].format(plain(name)))
    return " ".join(parts)
