"""Tokens per forward on the page: a table, and a tidy frame to draw. Columns: reports/tokens.py."""

import numpy as np
import pandas as pd

from reports.digits import spell
from reports.frame import Chapter, span
from reports.front import along, directional, doubtful, dressed, held_out
from reports.style import looks
from reports.tokens import COLUMNS

AXES = [c for c in COLUMNS if c.name in ("tpf", "tpf_all", "token_forwards")]
METRICS = 2    # that are drawn


def rows(chapter: Chapter, baseline: str | None) -> list[dict]:
    """A row of the table for every point of which something is known."""
    look = looks(chapter.palette, baseline)
    return [
        {"arm": row["arm"], "setting": row["setting"], "look": look[row["arm"]], "key": row["key"],
         "cells": [spell(*span(row, c.name)) if c.name in row else None for c in COLUMNS]}
        for row in chapter.done().to_dict("records") if np.isfinite(row.get("tpf", np.nan))
    ]


def plain(chapter: Chapter) -> list[dict]:
    """The same as numbers."""
    names = [f"{c.name}{end}" for c in COLUMNS for end in ("", ".low", ".high")]
    return [{name: row.get(name, np.nan) for name in ("arm", "setting", "key", "n", *names)}
            for row in chapter.done().to_dict("records") if np.isfinite(row.get("tpf", np.nan))]


def against(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Quality against each of AXES. Columns metric, better, unit, per, word, x, y with spans, hollow, level."""
    found, done = [], chapter.done()
    for label in directional(chapter)[:METRICS]:
        about, level = chapter.metrics[label], held_out(chapter, label)
        for axis in AXES:
            if axis.name not in done or label not in done:
                continue
            for row in done[done[axis.name].gt(0) & done[label].notna()].to_dict("records"):
                found.append({"arm": row["arm"], "setting": row["setting"], "key": row["key"], "n": row["n"],
                              "metric": label, "better": about["better"], "unit": about["unit"], "per": axis.name,
                              "word": axis.word, **along("x", row, axis.name), **along("y", row, label),
                              "hollow": doubtful(row), "collapsed": row["collapsed"],
                              "level": level[label] if level else np.nan})
    return dressed(chapter, found, baseline)
