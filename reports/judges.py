"""Whether the judges of a chapter agree: rank correlations of each two of them, over operating points and over
sequences, and each operating point under both.

A judge is a metric by row in nats per token of the data. Where there are two, metrics that have a better side and are
no judge (spelling, MAUVE) are ranked beside each of them. harness/stats/judges.py says what is computed. Frame, one row
a point and pair of judges: judge, other, unit, other_unit, x, x_low, x_high, y, y_low, y_high, hollow, x_level, y_level
(of held-out rows), and what every figure needs of an arm.
"""

import numpy as np
import pandas as pd

from harness.kinds import Scores
from harness.stats.judges import over_points, over_rows, pairs, values
from reports.digits import spell
from reports.frame import Chapter
from reports.front import NATS, along, directional, doubtful, dressed, held_out

# points that are ranked, and points within which sequences are: of more, so many, evenly in cost
MOST, SEQUENCES = 256, 32


def judges(chapter: Chapter) -> list[str]:
    """Labels of the judges, at least two; or none."""
    found = [label for label in directional(chapter) if chapter.metrics[label]["unit"] == NATS
             and chapter.metrics[label]["per"] == "row"]
    return found if len(found) > 1 else []


def agreement(chapter: Chapter) -> list[dict]:
    """One entry a pair: judge, other, k (points that both scored), n, and two intervals: points (over them), sequences
    (within them). None where there is no number.
    """
    known = judges(chapter)
    others = (
        [
            label
            for label in directional(chapter)
            if label not in known and chapter.metrics[label]["unit"] != "nats per LM token"
        ]
        if known
        else []
    )
    tables: dict[tuple, np.ndarray] = {}
    return [_pair(chapter, a, b, tables) for a, b in pairs(known, others)]


def _pair(chapter: Chapter, a: str, b: str, tables: dict) -> dict:
    better, keys = tuple(chapter.metrics[label]["better"] for label in (a, b)), _shared(chapter, a, b)
    scores = {label: [known for key in keys if (known := _scores(chapter, key, label))] for label in (a, b)}
    n = max((chapter.cells[key].record["cell"]["n"] for key in keys), default=0)
    found = {"judge": a, "other": b, "k": len(keys), "n": n, "points": None, "sequences": None}
    for label in (a, b):
        if keys and (label, *keys) not in tables:
            tables[label, *keys] = values(scores[label])
    try:
        found["points"] = over_points(tables[a, *keys], tables[b, *keys], n, better)
    except (KeyError, ValueError):
        pass  # too few points, or one value: no number
    if chapter.metrics[b]["per"] == "row":
        few = _evenly(len(keys), SEQUENCES)
        try:
            found["sequences"] = over_rows([scores[a][k] for k in few], [scores[b][k] for k in few], better)
        except ValueError:
            pass
    return found


def _shared(chapter: Chapter, a: str, b: str) -> list[str]:
    """Keys of the done points, cheapest first, that both scored and whose rows are there."""
    done = chapter.done().sort_values("nfe_a", kind="stable")
    known = done[done[a].notna() & done[b].notna()]
    keys = [row.key for row in known.itertuples() if all(_scores(chapter, row.key, label) is not None
                                                         for label in (a, b))]
    return [keys[k] for k in _evenly(len(keys), MOST)]


def _scores(chapter: Chapter, key: str, label: str) -> Scores | None:
    cell = chapter.cells[key]
    if chapter.metrics[label]["per"] == "set":
        return Scores(cell.scored[label]["value"])
    try:
        return Scores(cell.scored[label]["value"], *cell.rows(label))
    except ValueError:
        return None  # missing or damaged: among the troubles already


def _evenly(count: int, most: int) -> list[int]:
    return list(range(count)) if count <= most else np.linspace(0, count - 1, most).round().astype(int).tolist()


def spelt(rows: list[dict]) -> list[dict]:
    """The rows of the page's table."""
    return [row | {part: row[part] and spell(*row[part][:3]) for part in ("points", "sequences")} for row in rows]


def plain(rows: list[dict]) -> list[dict]:
    """The same numbers in full."""
    return [row | {part: row[part] and list(row[part][:3]) for part in ("points", "sequences")} for row in rows]


def scatter(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    rows = []
    for a, b in pairs(judges(chapter)):
        levels = [held_out(chapter, label) for label in (a, b)]
        for row in chapter.done().to_dict("records"):
            if np.isfinite(row[a]) and np.isfinite(row[b]):
                about = {column: row[column] for column in ("arm", "setting", "key", "n")} | {"hollow": doubtful(row)}
                known = {f"{axis}_level": level[label] if level else np.nan for axis, label,
                         level in zip("xy", (a, b), levels)}
                rows.append(about | {"judge": a, "other": b} | along("x", row, a) | along("y", row, b) | known)
    return dressed(chapter, rows, baseline)
