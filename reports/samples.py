"""Whole sequences of every arm, chosen by the seed and not by hand, with the misspelt words marked where the scorer stored them.

A metric may store its marks beside its scores: room "marks", key of the score, (m, 3) row, first place, place after the last. Spelling marks the words
that the training vocabulary lacks. A store without them is told as such; nothing is guessed here.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from reports.frame import Chapter
from reports.records import Cell
from reports.tables import spell

ALPHABET = "abcdefghijklmnopqrstuvwxyz "
SHOWN = 3  # rows of every arm
NEAR = 32  # passes of the operating point whose samples are shown


def chosen(n: int, seed: int) -> list[int]:
    """Row numbers, the same for all arms of a chapter: those whose hash with the seed is smallest."""
    return sorted(sorted(range(n), key=lambda row: hashlib.sha256(f"{seed}:{row}".encode()).digest())[:SHOWN])


def samples(chapter: Chapter) -> list[dict]:
    """Of each arm the operating point that is nearest to NEAR passes, and the controls. A row is (number, [(text, misspelt)])."""
    found = []
    for arm in (*chapter.arms, *chapter.controls):
        done = chapter.done(arm)
        if done.empty:
            continue
        row = done.loc[(np.log(done.nfe_a.clip(lower=1e-9)) - np.log(NEAR)).abs().idxmin()] if arm in chapter.arms else done.iloc[0]
        cell, about = chapter.cells[row.key], {"arm": arm, "setting": row.setting, "key": row.key}
        try:
            x = cell.samples()
        except ValueError as error:
            found.append(about | {"rows": [], "reason": str(error), "marked": False, "nfe": None})
            continue
        alphabet, marks = cell.record["cell"]["data"].get("alphabet") or ALPHABET, marks_of(cell)
        rows = [(r, pieces(decode(x[r], alphabet), [] if marks is None else marks[marks[:, 0] == r, 1:].tolist())) for r in chosen(len(x), int(row.seed))]
        found.append(about | {"nfe": spell(row.nfe_a) if arm in chapter.arms else None, "reason": "", "rows": rows, "marked": marks is not None})
    return found


def marks_of(cell: Cell) -> np.ndarray | None:
    """(m, 3) row, start, stop of the misspelt words; None where they were not stored."""
    for record in cell.scored.values():
        if record["metric"]["name"] == "spelling" and record["status"] == "done" and cell.store.has("marks", record["score_key"]):
            return cell.store.get("marks", record["score_key"])
    return None


def pieces(text: str, spans: Sequence[Sequence[int]]) -> list[tuple[str, bool]]:
    """The text in parts, each with whether it is marked."""
    found, place = [], 0
    for start, stop in sorted(spans):
        found += [(text[place:start], False), (text[start:stop], True)]
        place = stop
    return [part for part in [*found, (text[place:], False)] if part[0]]


def decode(ids: Sequence[int], alphabet: str) -> str:
    """Token ids as text: the id after the alphabet's last is the mask, "_"; ids beyond that are written as numbers."""
    letters = alphabet + "_"
    return "".join(letters[i] for i in ids) if max(ids) < len(letters) else " ".join(map(str, ids))
