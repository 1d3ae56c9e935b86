"""Whole sequences of every arm, chosen by the seed and not by hand, with the misspelt words marked
(reports/misspelt.py); molecules are drawn beside (reports/molecules.py), proteins have their family
(reports/families.py).
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np
import torch

from harness.records.places import is_zip
from reports import misspelt, molecules
from reports.digits import spell
from reports.families import families
from reports.frame import Chapter, from_near
from reports.named import data_set, kind_of, readable, same_tokens
from reports.records import Cell
from reports.text import plain

ALPHABET = "abcdefghijklmnopqrstuvwxyz "
SHOWN, DRAWN = 3, 12  # rows of every arm, and of molecules


def chosen(n: int, seed: int, shown: int = SHOWN) -> list[int]:
    """Row numbers, the same for all arms of a chapter: those whose hash with the seed is smallest."""
    return sorted(sorted(range(n), key=lambda row: hashlib.sha256(f"{seed}:{row}".encode()).digest())[:shown])


def samples(chapter: Chapter) -> list[dict]:
    """Of each arm the operating point that is nearest to frame.NEAR passes, and the controls. A row is (number, [(text,
    misspelt, given)], family or nothing). Runs that keep no samples are left out: `remade` tells of them.
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
            if unkept(cell):
                continue
            found.append(about | {"rows": [], "reason": str(error), "marked": False, "known": False,
                                  "nfe": None, "drawn": [], "words": False, "given": False})
            continue
        told = cell.record["cell"]["data"]
        decode, picked = reader(told, cell.study.get("data")), chosen(len(x), int(row.seed))
        marks = misspelt.marks(cell, x, picked, decode)
        texts = [decode(x[r]) for r in picked]
        data = readable(told, cell.study.get("data"))
        looks, shown = families(data, texts) or [""] * len(picked), given(cell, picked, x.shape[1])
        rows = [(r, pieces(text, (marks or {}).get(r, []), shown.get(r, []) if len(text) == x.shape[1] else ()),
                 look)
                for r, text, look in zip(picked, texts, looks)]
        found.append(about | {"nfe": spell(row.nfe_a) if arm in chapter.arms else None, "reason": "", "rows": rows,
                              "marked": marks is not None, "known": any(looks),
                              "words": hasattr(data, "words") or hasattr(kind_of(told), "words"),
                              "given": any(part[2] for _, parts, _ in rows for part in parts),
                              "drawn": drawn(told, x, int(row.seed), decode)})
    return found


def drawn(told: dict, x: np.ndarray, seed: int, decode: Callable[[np.ndarray], str]) -> list[tuple[int, str, str]]:
    """(number, SVG or nothing, SMILES) of rows of molecules; none of other data, or without RDKit."""
    if not hasattr(kind_of(told), "smiles") or not molecules.drawable():
        return []
    return [(row, molecules.drawing(text := decode(x[row])), text) for row in chosen(len(x), seed, DRAWN)]


def remade(chapter: Chapter) -> list[str]:
    """Of kept runs, which hold no samples by design: by what they are made again, one sentence a study."""
    studies = dict.fromkeys(cell.study["name"] for cell in chapter.cells.values() if unkept(cell))
    return [f"ssmd-bench run {plain(name)}" for name in studies]


def unkept(cell: Cell) -> bool:
    """Whether a cell is of a kept run without samples."""
    return is_zip(cell.store.folder) and cell.record["status"] == "done" and not cell.store.has("samples",
                                                                                                cell.record["key"])


def given(cell: Cell, rows: Sequence[int], length: int) -> dict[int, list[int]]:
    """row -> the places that its prompt gives; nothing where the records and the data do not say, or of a control."""
    if cell.record.get("control"):
        return {}
    data = data_set(cell.record["cell"]["data"], cell.study.get("data"))
    if not hasattr(data, "prompts"):
        share = cell.record["cell"].get("prompt") or {}
        first = 0 if share.get("places") or not isinstance(share, dict) else int(share.get("share", 0) * length)
        return {row: [*range(first)] for row in rows} if first else {}
    try:
        return {row: np.flatnonzero(data.prompts(row, row + 1)[0].numpy() != data.mask).tolist() for row in rows}
    except (ValueError, OSError):    # its file has gone since
        return {}


def pieces(text: str, spans: Sequence[tuple[int, int]], places: Sequence[int] = ()) -> list[tuple[str, bool, bool]]:
    """The text in parts, each with whether it is misspelt and whether it was given, at these places."""
    wrong, shown = {k for start, stop in spans for k in range(start, stop)}, {*places}
    return [("".join(text[k] for k in part), *kind)
            for kind, part in groupby(range(len(text)), key=lambda k: (k in wrong, k in shown))]


def reader(about: dict, said: dict | None = None) -> Callable[[np.ndarray], str]:
    """Token ids (L,) -> text: by the data set itself where it is here, else by the alphabet of the record; tokens of a
    tokenizer that is not here stay numbers.
    """
    data = readable(about, said)
    if hasattr(data, "decode"):
        return lambda ids: data.decode(torch.as_tensor(ids.astype(np.int64))[None])[0]
    if same_tokens(about):
        return reader(about["data"])
    if "tokenizer_sha256" in about or isinstance(about.get("data"), dict):
        return lambda ids: " ".join(map(str, ids))
    letters = getattr(kind_of(about), "letters", ALPHABET)
    return lambda ids: decode(ids, about.get("alphabet") or letters)


def decode(ids: Sequence[int] | np.ndarray, alphabet: str) -> str:
    """Token ids as text: the id after the alphabet's last is the mask, "_"; ids beyond that are written as numbers."""
    letters = alphabet + "_"
    return "".join(letters[i] for i in ids) if max(ids) < len(letters) else " ".join(map(str, ids))
