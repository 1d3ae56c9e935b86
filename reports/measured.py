"""Measured records (harness/records/measured.py) -> tidy frames, one for each set of columns: the rows as they stand,
with what figures need beside them.

Added are name, n and subject; where a column is called "key" the arm, setting, nfe_a, colour and marker of that cell;
where one is called "metric" the better side and the unit of it. A record whose cells have been sampled anew since is
left out.
"""

import pandas as pd

from reports.frame import Chapter
from reports.front import subject
from reports.style import looks
from reports.text import plain


def frames(chapter: Chapter, baseline: str | None) -> list[pd.DataFrame]:
    found: dict[tuple[str, ...], list[pd.DataFrame]] = {}
    for record in _newest(chapter):
        frame = pd.DataFrame(record["rows"], columns=record["columns"])
        if "key" in frame:
            frame = frame[frame.key.isin(record["cells"])]
        frame = frame.map(lambda cell: plain(cell) if isinstance(cell, str) and cell else cell)
        n = max(chapter.cells[key].record["cell"]["n"] for key in record["cells"])
        found.setdefault(tuple(record["columns"]), []).append(frame.assign(name=record["name"], n=n,
                                                                           subject=subject(chapter)))
    return [_dressed(pd.concat(parts, ignore_index=True), chapter, baseline) for parts in found.values()]


def _newest(chapter: Chapter) -> list[dict]:
    """The last measured record of each name and cells whose samples are still those of the chapter."""
    now = {key: cell.record.get("samples_sha256") for key, cell in chapter.cells.items()}
    fitting = [r for store in chapter.stores() for r in store.of("measured")
               if all(now.get(key) == sha for key, sha in r["cells"].items())]
    return list({(r["study"], r["name"], *sorted(r["cells"])): r for r in fitting}.values())


def _dressed(frame: pd.DataFrame, chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    if "key" in frame:
        about, look = chapter.frame.set_index("key"), looks(chapter.palette, baseline)
        for column in ("arm", "setting", "nfe_a"):
            frame[column] = frame.key.map(about[column])
        frame["colour"], frame["marker"] = ([getattr(look[arm], part) for arm in frame.arm]
                                            for part in ("colour", "marker"))
    if "metric" in frame and {*frame.metric} <= chapter.metrics.keys():
        for column in ("better", "unit"):
            frame[column] = frame.metric.map(lambda label, column=column: chapter.metrics[label][column])
    return frame
