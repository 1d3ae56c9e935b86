"""Metrics over stored samples: sampling is never repeated for a new metric. A metric that fails makes a failed record, never a number."""

from collections.abc import Collection, Sequence
from math import isfinite

import numpy as np
import torch

from harness.kinds import Metric
from harness.spec import canonical, code_hash, sha256, to_json
from harness.store import Store


def about(metric: Metric) -> dict:
    """What decides a score; a metric with weights is known by their hash, not by their path."""
    return metric.identity() if hasattr(metric, "identity") else to_json(metric)


def described(metric: Metric) -> dict:
    """The record's `metric`: name, settings and, where there is one, identity (also spread out, for readers that look for its sha256)."""
    return to_json(metric) | (about(metric) | {"identity": about(metric)} if hasattr(metric, "identity") else {})


def label(metric: Metric, metrics: Collection[Metric]) -> str:
    """The metric's name, with its settings where two of one name are used."""
    if sum(m.name == metric.name for m in metrics) == 1:
        return metric.name
    return metric.name + "(" + ",".join(f"{k}={v}" for k, v in to_json(metric).items() if k not in ("name", "version")) + ")"


def score(study, store: Store, cells: Sequence) -> dict[str, int]:
    """Score every counted cell that lacks a score; what happened, in numbers."""
    known = store.latest("counted", "key")
    records = [known.get((cell.key(),)) for cell in cells]
    return score_records(study.metrics, study.data, store, [r for r in records if r])


def score_records(metrics: Sequence[Metric], data, store: Store, records: Sequence[dict], beside: Sequence[Metric] = ()) -> dict[str, int]:
    """The same for records of one data set: no sampler or network is needed. Labels differ from those of the metrics `beside`."""
    scored, tally = store.latest("scored", "score_key"), {"scored": 0, "unscored": 0}
    plans = [(metric, about(metric), code_hash((type(metric).__module__,)), label(metric, {*metrics, *beside})) for metric in metrics]
    for record in (r for r in records if r["status"] == "done"):
        samples = None
        for metric, settings, code, name in plans:
            key = sha256([record["key"], record["samples_sha256"], canonical(settings), code])[:24]
            old = scored.get((key,))
            if old and old["status"] == "done" and old["label"] == name and (old["per"] == "set" or store.has("scores", key)):
                continue
            if samples is None:
                samples = torch.from_numpy(store.get("samples", record["key"]).astype(np.int64))
            entry = {"type": "scored", "key": record["key"], "score_key": key, "metric": described(metric), "label": name, "better": metric.better, "unit": metric.unit,
                     "n": len(samples), "code": code}
            try:
                value, numerator, denominator = metric.score(samples, data)
                value, table = float(value), np.asarray([numerator, denominator], dtype=np.float64)    # (2, n), or (2, 0) of a metric of the set
                if not isfinite(value) or not np.isfinite(table).all():
                    raise ValueError(f"{name} is not a number")
            except Exception as error:    # a failed metric is a record too
                store.append(entry | {"status": "failed", "reason": f"{type(error).__name__}: {error}", "value": None, "per": "set"})
                tally["unscored"] += 1
                continue
            if table.size:
                store.put("scores", key, table)
            store.append(entry | {"status": "done", "reason": "", "value": value, "per": "row" if table.size else "set"})
            tally["scored"] += 1
    return tally
