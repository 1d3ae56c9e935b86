"""Likelihood of every arm at the passes and at the entropy of the baseline (harness/stats/equal_entropy.py), where a
study ran its baseline at a lower temperature too.

Columns: arm, setting (of the baseline), key (of the baseline), metric, unit, n, passes, baseline, cooler, value, low,
high, entropy (of the samples, beyond the baseline's).
"""

from functools import partial

import numpy as np
import pandas as pd

from harness.stats.equal_entropy import at, compared
from reports.frame import Chapter
from reports.front import NATS, dressed
from reports.names import ARM_SETTINGS

# settings of the baseline that are drawn, those whose passes the most arms enclose
ENTROPY, SETTINGS = "sample_entropy", 2


def gaps(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    judge = next((label for label, m in chapter.metrics.items() if m["unit"] == NATS and m["per"] == "row"), None)
    entropy = next((label for label, m in chapter.metrics.items() if m["name"] == ENTROPY and m["per"] == "row"), None)
    if baseline is None or judge is None or entropy is None:
        return pd.DataFrame()
    done = chapter.done().sort_values("nfe_a", kind="stable")
    done = done[done[judge].notna() & done[entropy].notna()]
    rows, read = [], partial(_rows, chapter, judge, entropy)
    for base, cool in _pairs(done, baseline):
        warm, cold = read(base.key), read(cool.key)
        if warm is None or cold is None:
            continue
        for arm, mine in done.groupby("arm", sort=False):
            found = None if arm in (baseline, cool.arm) else at(list(zip(mine.nfe_a, mine.key)), read, base.nfe_a)
            if found is not None and (v := compared(found, warm, cold)):
                rows.append({"arm": arm, "setting": base.setting, "key": base.key, "metric": judge,
                             "unit": chapter.metrics[judge]["unit"], "n": base.n, "passes": base.nfe_a,
                             "baseline": baseline, "cooler": cool.arm, "value": v.nats.value, "low": v.nats.low,
                             "high": v.nats.high, "entropy": v.entropy[0] - v.entropy[1]})
    frame = dressed(chapter, rows, baseline)
    if frame.empty:
        return frame
    fullest = frame.passes.value_counts().sort_index(ascending=False).nlargest(SETTINGS, keep="first").index
    return frame[frame.passes.isin(fullest)].sort_values("passes", kind="stable", ignore_index=True)


def _pairs(done: pd.DataFrame, baseline: str) -> list[tuple]:
    """Points of the baseline, each with the same sampler at a lower temperature and nothing else changed."""
    others = [name for name in ARM_SETTINGS if name != "temperature"]
    found = []
    for base in done[done.arm == baseline].itertuples():
        alike = done[(done.sampler == base.sampler) & (done.temperature < base.temperature)
                     & done.setting.eq(base.setting)]
        alike = alike[[all(getattr(row, name) == getattr(base, name) for name in others) for row in alike.itertuples()]]
        found += [(base, cool) for cool in alike.head(1).itertuples()]
    return found


def _rows(chapter: Chapter, judge: str, entropy: str, key: str) -> np.ndarray | None:
    """Nats a token and entropy of each row, (n, 2)."""
    try:
        return np.stack([np.divide(*chapter.cells[key].rows(label)) for label in (judge, entropy)], 1)
    except ValueError:
        return None    # missing or damaged: among the troubles already
