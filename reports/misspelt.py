"""Where the misspelt words of a sample stand, by the words of the data set that the records name.

What is marked must agree with the stored number of known words of the row, so nothing is marked by another rule than
the score's.
"""

import numpy as np

from reports.named import readable
from reports.records import Cell


def marks(cell: Cell, x: np.ndarray, rows: list[int], decode) -> dict[int, list[tuple[int, int]]] | None:
    """row -> (start, stop) of each word that the training split lacks; None where the records and the data do not
    say.
    """
    score = next((r for r in cell.scored.values() if r["metric"]["name"] == "spelling" and r["status"] == "done"), None)
    if score is None:
        return None
    data = readable(cell.record["cell"]["data"], cell.study.get("data"))
    if not hasattr(data, "words") or score["per"] != "row" or not cell.store.has("scores", score["score_key"]):
        return None
    known = data.words("train", score["metric"].get("seen", 1))
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
