"""Metrics over commits: the same arms at the same settings, counted and scored again as the code and the networks went
on.

A store forgets nothing: every counting and scoring of a cell stands in it, and the machine record before it tells the
commit. Cells are the same here if arm, sampler, data, prompt, n, seed and the names of their networks are; the networks
behind the names may have been trained on. Columns of the frame: commit (short, + for a dirty tree), place (in time),
metric, better, unit, arm, setting, key, networks (hashes), value, low, high, n.
"""

import json
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from harness.records.store import Store
from reports.frame import Chapter, from_near, intervals
from reports.front import directional, subject
from reports.names import ARM_SETTINGS
from reports.style import looks
from reports.view import named

MOST = 12  # commits
METRICS = 2  # the first in rank, beside NFE A
SAME = ("sampler", "net_names", "data", "prompt", "n", "seed", *ARM_SETTINGS, "dtype")
SHORT = 7  # digits of a commit


def over_commits(chapters: Sequence[Chapter], baseline: str | None) -> pd.DataFrame:
    """Empty where no cell was counted under two commits."""
    stores = {store.folder: store for chapter in chapters for store in chapter.stores()}
    labels = {label: chapter.metrics[label] for chapter in chapters for label in directional(chapter)[:METRICS]}
    settings = {key: setting for chapter in chapters for key, setting in zip(chapter.frame.key, chapter.frame.setting)}
    called = {arm: name for chapter in chapters for arm, name in named(chapter).items()}
    found = pd.DataFrame([row | {"arm": called[row["arm"]]} for store in stores.values()
                          for row in _past(store, labels) if row["arm"] in called])
    if found.empty:
        return found
    found = found.sort_values("time", kind="stable")
    found = found[found.groupby("line").commit.transform("nunique") > 1]
    if found.empty:
        return found
    found = found[found.line.isin(_chosen(found))]
    found = found[found.groupby("metric").commit.transform("nunique") > 1]
    commits = list(dict.fromkeys(found.commit))[-MOST:]
    found = found[found.commit.isin(commits)].drop_duplicates(["line", "commit", "metric"],
                                                              keep="last").reset_index(drop=True)
    if found.empty:
        return found
    found["place"], found["setting"] = found.commit.map(commits.index), found.key.map(settings).fillna("")
    found["subject"] = " and ".join(dict.fromkeys(subject(chapter) for chapter in chapters
                                                  if found.key.isin(chapter.cells.keys()).any()))
    look = looks(chapters[0].palette, baseline)
    for part in ("colour", "marker"):
        found[part] = [getattr(look[arm], part) for arm in found.arm]
    rank = {metric: k for k, metric in enumerate((*labels, "nfe_a"))}
    found = found.sort_values(["metric", "place"], key=lambda column: column.map(rank) if column.name == "metric"
                              else column, kind="stable", ignore_index=True)
    return _with_intervals(found).drop(columns=["time", "line", "store", "score_key"])


def _past(store: Store, labels: dict[str, dict]) -> Iterator[dict]:
    """Every value that a cell of the store has had, with the commit that it was found under."""
    commit, cells = "unknown", {}
    for record in store.records:
        kind, label = record.get("type"), record.get("label")
        if kind == "machine":
            commit = (record.get("commit") or "unknown")[:SHORT] + ("+" if record.get("dirty") else "")
        elif kind == "counted" and record["status"] == "done" and not record.get("control"):
            cell = record["cell"]
            line = json.dumps([record["arm"], *(cell.get(part) for part in SAME)], sort_keys=True)
            networks = ", ".join(f"{name} {cell['nets'][role][:8]}" for role, name in sorted(cell["net_names"].items()))
            about = cells[record["key"]] = {"line": line, "arm": record["arm"], "key": record["key"], "n": cell["n"],
                                            "networks": networks, "store": store}
            costs = {"metric": "nfe_a", "better": "lower", "unit": "passes a sequence",
                     "value": record["cost"]["nfe_a"], "score_key": ""}
            yield about | costs | {"time": record.get("time", ""), "commit": commit}
        elif kind == "scored" and record["status"] == "done" and label in labels and record["key"] in cells:
            score = {"metric": label, **{part: record[part] for part in ("better", "unit", "value")},
                     "score_key": record["score_key"] if record["per"] == "row" else ""}
            yield cells[record["key"]] | score | {"time": record.get("time", ""), "commit": commit}


def _chosen(found: pd.DataFrame) -> list[str]:
    """Of each arm the settings nearest to frame.NEAR passes, by the last counting."""
    last = found[found.metric == "nfe_a"].drop_duplicates("line", keep="last")
    return list(last.assign(far=from_near(last.value)).sort_values("far", kind="stable").drop_duplicates("arm").line)


def _with_intervals(found: pd.DataFrame) -> pd.DataFrame:
    """Where the rows of a value still lie in its store."""
    pairs = {}
    for row in found.itertuples():
        room, key = ("scores", row.score_key) if row.score_key else ("costs", row.key)
        if (row.score_key or row.metric == "nfe_a") and row.store.has(room, key):
            array = row.store.get(room, key)
            pairs[row.Index, "value"] = tuple(array) if row.score_key else (array[:, 0], np.ones(len(array)))
    spans = {k: span for (k, _), span in intervals(pairs).items()}
    # not of a later counting
    fits = {k: span for k, span in spans.items() if abs(span.value - found.value[k]) <= 1e-6
            * max(1.0, abs(span.value))}
    for end in ("low", "high"):
        found[end] = [getattr(fits[k], end) if k in fits else np.nan for k in found.index]
    return found
