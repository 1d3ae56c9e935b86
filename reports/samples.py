"""Whole sequences of every arm, chosen by the seed and not by hand, with the misspelt words marked (reports/misspelt.py)."""

import hashlib
from collections.abc import Sequence

import numpy as np

from reports import misspelt
from reports.digits import spell
from reports.frame import Chapter

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
        alphabet, picked = cell.record["cell"]["data"].get("alphabet") or ALPHABET, chosen(len(x), int(row.seed))
        marks = misspelt.marks(cell, x, picked, lambda ids, letters=alphabet: decode(ids, letters))
        rows = [(r, pieces(decode(x[r], alphabet), (marks or {}).get(r, []))) for r in picked]
        found.append(about | {"nfe": spell(row.nfe_a) if arm in chapter.arms else None, "reason": "", "rows": rows, "marked": marks is not None})
    return found


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
