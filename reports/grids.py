"""Grids of two settings: cells of one sampler on the same networks in which exactly two settings vary, and every pair
of their values was tried.

The window step and the rounds of a self-speculative sampler are such a grid, or schedule and steps of ancestral
sampling. Columns of the frame: grid, metric, better, unit, x_name, x, x_place, y_name, y, y_place, value, low, high,
beside what every frame has; places count from 0.
"""

import json

import numpy as np
import pandas as pd

from reports.frame import Chapter, span
from reports.front import directional, dressed
from reports.names import ARM_SETTINGS, text_of

METRICS = 2  # drawn, the first in rank; the passes stand beside them


def heat(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    rows, frame = [], chapter.frame[~chapter.frame.control & ~chapter.frame.left]
    metrics = {label: (chapter.metrics[label]["better"], chapter.metrics[label]["unit"])
               for label in directional(chapter)[:METRICS]}
    for _, mine in frame.groupby(frame.key.map(lambda key: _kind(chapter.cells[key].record["cell"])), sort=False):
        axes = _axes([json.loads(sampler) for sampler in mine.sampler])
        if axes is None:
            continue
        (x_name, x), (y_name, y) = axes
        cells = mine.to_dict("records")
        for label, (better, unit) in (metrics | {"nfe_a": ("lower", "passes a sequence")}).items():
            for k, row in enumerate(cells):
                if row["status"] == "done" and np.isfinite(row.get(label, np.nan)):
                    about = {"arm": row["arm"], "setting": row["setting"], "key": row["key"], "n": row["n"],
                             "grid": " and ".join(dict.fromkeys(mine.arm))}
                    places = {"x_name": x_name, "x": x[k][1], "x_place": x[k][0], "y_name": y_name, "y": y[k][1],
                              "y_place": y[k][0]}
                    rows.append(about | {"metric": label, "better": better, "unit": unit} | places
                                | dict(zip(("value", "low", "high"), span(row, label))))
    return dressed(chapter, rows, baseline)


def _kind(cell: dict) -> str:
    return json.dumps([cell["sampler"]["name"], cell.get("nets"), *(cell.get(part) for part in ARM_SETTINGS)],
                      sort_keys=True)


def _axes(samplers: list[dict]) -> list[tuple[str, list[tuple[int, str]]]] | None:
    """The two settings that vary, each with its name and, for every sampler, the place and the text of its value; None
    where this is no full grid.
    """
    fields = dict.fromkeys(field for sampler in samplers for field in sampler)
    values = {field: [json.dumps(sampler.get(field), sort_keys=True) for sampler in samplers] for field in fields}
    varying = [field for field in fields if len(set(values[field])) > 1]
    if len(varying) != 2:
        return None
    pairs, sizes = set(zip(*(values[field] for field in varying))), [len(set(values[field])) for field in varying]
    if len(pairs) != sizes[0] * sizes[1] or len(pairs) != len(samplers):
        return None
    return [_axis(field, [sampler.get(field) for sampler in samplers]) for field in varying]


def _axis(field: str, values: list) -> tuple[str, list[tuple[int, str]]]:
    """Nested settings that differ in one field alone are named by that field."""
    while all(isinstance(value, dict) for value in values):
        inner = [name for name in dict.fromkeys(name for value in values for name in value)
                 if len({json.dumps(value.get(name), sort_keys=True) for value in values}) > 1]
        if len(inner) > 1:
            values = [" ".join(text_of(value[name]) for name in sorted(inner, key="name".__ne__) if name in value)
                      for value in values]
            break
        field, values = (inner[0] if inner[0] != "name" else field), [value.get(inner[0]) for value in values]
    order = (
        sorted(set(values))
        if all(isinstance(value, (int, float)) for value in values)
        else sorted(set(map(text_of, values)))
    )
    texts = [text_of(value) for value in order]
    return field, [(texts.index(text_of(value)), text_of(value)) for value in values]
