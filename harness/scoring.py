"""Metrics over stored samples: sampling is never repeated for a new metric. A metric that fails makes a failed record, never a number."""

import numpy as np
import torch

from harness.kinds import Metric
from harness.spec import canonical, code_hash, sha256, to_json
from harness.store import Store


def about(metric: Metric) -> dict:
    """Settings and identity; a metric with weights is known by their hash, not by their path."""
    return metric.identity() if hasattr(metric, "identity") else to_json(metric)


def label(metric: Metric, metrics: list[Metric]) -> str:
    """The metric's name, with its settings where two of one name are used."""
    if sum(m.name == metric.name for m in metrics) == 1:
        return metric.name
    return metric.name + "(" + ",".join(f"{k}={v}" for k, v in to_json(metric).items() if k not in ("name", "version")) + ")"


def score(study, store: Store, cells: list) -> int:
    """Score every counted cell that lacks a score; how many were made."""
    known, scored = store.latest("counted", "key"), store.latest("scored", "score_key")
    made = 0
    for cell in cells:
        record = known.get((cell.key(),))
        if not record or record["status"] != "done":
            continue
        samples = None
        for metric in study.metrics:
            settings, code = about(metric), code_hash((type(metric).__module__,))
            key = sha256([record["key"], record["samples_sha256"], canonical(settings), code])[:24]
            old = scored.get((key,))
            if old and old["status"] == "done" and (old["per"] == "set" or store.has("scores", key)):
                continue
            if samples is None:
                samples = torch.from_numpy(store.get("samples", record["key"]).astype(np.int64))
            entry = {"type": "scored", "key": record["key"], "score_key": key, "metric": settings, "label": label(metric, study.metrics), "better": metric.better,
                     "unit": metric.unit, "n": len(samples), "code": code}
            try:
                value, numerator, denominator = metric.score(samples, study.data)
            except Exception as error:    # a failed metric is a record too
                store.append(entry | {"status": "failed", "reason": f"{type(error).__name__}: {error}", "value": None, "per": "set"})
                continue
            per_row = len(numerator) > 0
            if per_row:
                store.put("scores", key, np.stack((np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64))))
            store.append(entry | {"status": "done", "reason": "", "value": float(value), "per": "row" if per_row else "set"})
            made += 1
    return made
