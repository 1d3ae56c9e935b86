"""Whole sequences of every arm, chosen by the seed and not by hand, with the misspelt words marked
(reports/misspelt.py); molecules are drawn beside (reports/molecules.py), proteins have their family
(reports/families.py).
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import torch

from reports import misspelt, molecules
from reports.digits import spell
from reports.families import families
from reports.frame import Chapter, from_near
from reports.named import data_set, kind_of

ALPHABET = "abcdefghijklmnopqrstuvwxyz "
SHOWN, DRAWN = 3, 12  # rows of every arm, and of molecules


def chosen(n: int, seed: int, shown: int = SHOWN) -> list[int]:
    """Row numbers, the same for all arms of a chapter: those whose hash with the seed is smallest."""
    return sorted(sorted(range(n), key=lambda row: hashlib.sha256(f"{seed}:{row}".encode()).digest())[:shown])


def samples(chapter: Chapter) -> list[dict]:
    """Of each arm the operating point that is nearest to frame.NEAR passes, and the controls. A row is (number, [(text,
    misspelt)], family or nothing).
    """
    found = []
    for arm in (*chapter.arms, *chapter.controls):
        done = chapter.done(arm)
        if done.empty:
            continue
        row = done.loc[from_near(done.nfe_a).idxmin()] if arm in chapter.arms else done.iloc[0]
        cell, about = chapter.cells[row.key], {"arm": arm, "setting": row.setting, "key": row.key}
        try:
            x = cell.samples()
        except ValueError as error:
            found.append(about | {"rows": [], "reason": str(error), "marked": False, "known": False,
                                  "nfe": None, "drawn": []})
            continue
        told = cell.record["cell"]["data"]
        decode, picked = reader(told, cell.study.get("data")), chosen(len(x), int(row.seed))
        marks = misspelt.marks(cell, x, picked, decode)
        texts = [decode(x[r]) for r in picked]
        looks = families(data_set(told, cell.study.get("data")), texts) or [""] * len(picked)
        rows = [(r, pieces(text, (marks or {}).get(r, [])), look) for r, text, look in zip(picked, texts, looks)]
        found.append(about | {"nfe": spell(row.nfe_a) if arm in chapter.arms else None, "reason": "", "rows": rows,
                              "marked": marks is not None, "known": any(looks),
                              "drawn": drawn(told, x, int(row.seed), decode)})
    return found


def drawn(told: dict, x: np.ndarray, seed: int, decode: Callable[[np.ndarray], str]) -> list[tuple[int, str, str]]:
    """(number, SVG or nothing, SMILES) of rows of molecules; none of other data, or without RDKit."""
    if not hasattr(kind_of(told), "smiles") or not molecules.drawable():
        return []
    return [(row, molecules.drawing(text := decode(x[row])), text) for row in chosen(len(x), seed, DRAWN)]


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text in parts, each with whether it is marked."""
    found, place = [], 0
    for start, stop in sorted(spans):
        found += [(text[place:start], False), (text[start:stop], True)]
        place = stop
    return [part for part in [*found, (text[place:], False)] if part[0]]


def reader(about: dict, said: dict | None = None) -> Callable[[np.ndarray], str]:
    """Token ids (L,) -> text: by the data set itself where it is here, else by the alphabet of the record; tokens of a
    tokenizer that is not here stay numbers.
    """
    data = data_set(about, said)
    if hasattr(data, "decode"):
        return lambda ids: data.decode(torch.as_tensor(ids.astype(np.int64))[None])[0]
    if "tokenizer_sha256" in about or isinstance(about.get("data"), dict):
        return lambda ids: " ".join(map(str, ids))
    letters = getattr(kind_of(about), "letters", ALPHABET)
    return lambda ids: decode(ids, about.get("alphabet") or letters)


def decode(ids: Sequence[int] | np.ndarray, alphabet: str) -> str:
    """Token ids as text: the id after the alphabet's last is the mask, "_"; ids beyond that are written as numbers."""
    letters = alphabet + "_"
    return "".join(letters[i] for i in ids) if max(ids) < len(letters) else " ".join(map(str, ids))
