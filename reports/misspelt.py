"""Where the misspelt words of a sample stand, by the words of the data set that the records name.

A data set is found by its name among those of the harness, and must be the one of the records by its hash; what is marked must agree with the stored number of
known words of the row, so nothing is marked by another rule than the score's. No sampler and no network is needed.
"""

from functools import lru_cache

import numpy as np

from harness.plugins import find
from reports.records import Cell


def marks(cell: Cell, x: np.ndarray, rows: list[int], decode) -> dict[int, list[tuple[int, int]]] | None:
    """row -> (start, stop) of each word that the training split lacks; None where the records and the data do not say."""
    score = next((r for r in cell.scored.values() if r["metric"]["name"] == "spelling" and r["status"] == "done"), None)
    if score is None:
        return None
    about = cell.record["cell"]["data"]
    known = _words(about.get("name", ""), about.get("length", 0), about.get("sha256", ""), score["metric"].get("seen", 1))
    if known is None or score["per"] != "row" or not cell.store.has("scores", score["score_key"]):
        return None
    right, whole = cell.store.get("scores", score["score_key"])  # (n,) each
    found = {}
    for row in rows:
        spans = words(decode(x[row]))
        found[row] = [(start, stop) for start, stop, word in spans if word not in known]
        if (len(spans) - len(found[row]), max(1, len(spans))) != (right[row], whole[row]):
            return None
    return found


def words(text: str) -> list[tuple[int, int, str]]:
    """(start, stop, word) of the whole words: the first and the last fragment may be cut.

    >>> words("he is  the ma")
    [(3, 5, 'is'), (7, 10, 'the')]
    """
    found, place = [], 0
    for part in text.split(" "):
        found.append((place, place + len(part), part))
        place += len(part) + 1
    return [span for span in found[1:-1] if span[2]]


@lru_cache(maxsize=4)
def _words(name: str, length: int, sha256: str, seen: int) -> frozenset[str] | None:
    """The words of the training split; None if there is no such text here, or another of that name."""
    cls = find("rows", ("harness.data",)).get(name)
    if cls is None or not hasattr(cls, "words"):
        return None
    try:
        data = cls(length=length)
        return data.words("train", seen) if data.identity()["sha256"] == sha256 else None
    except (TypeError, ValueError, OSError):  # a text that comes by path, or is not whole
        return None
