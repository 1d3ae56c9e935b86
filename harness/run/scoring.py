"""Metrics over stored samples: sampling is never repeated for a new metric. A metric that fails makes a failed record,
never a number.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache, partial
from math import isfinite
from typing import NamedTuple

import numpy as np
import torch

from harness.kinds import Metric
from harness.records import provenance
from harness.records.arrays import consistent
from harness.records.keys import score_key
from harness.records.standing import PROVEN, REFUTED, Evidence
from harness.records.store import Store
from harness.run import companions
from harness.run.backend import each
from harness.run.hands import Hands
from harness.run.progress import Progress
from harness.run.spot_check import differing, drawn, near
from harness.spec import canonical, foreign, to_json
from harness.stats import collapse


def about(metric: Metric) -> dict:
    """What decides a score; a metric with weights is known by their hash, not by their path."""
    return metric.identity() if hasattr(metric, "identity") else to_json(metric)


def described(metric: Metric) -> dict:
    """The record's `metric`: name, settings and, where there is one, identity (also spread out, for readers that look
    for its sha256).
    """
    return to_json(metric) | (about(metric) | {"identity": about(metric)} if hasattr(metric, "identity") else {})


def label(metric: Metric, metrics: Collection[Metric]) -> str:
    """The metric's name, with its settings where two of one name are used; but for those that it sets aside, such as a
    path.
    """
    if sum(m.name == metric.name for m in metrics) == 1:
        return metric.name
    aside = getattr(metric, "aside", ())
    short = _settled(metric, aside)
    return short if sum(_settled(m, aside) == short for m in metrics) == 1 else _settled(metric, ())


def _settled(metric: Metric, aside: Collection[str]) -> str:
    told = (f"{k}={v}" for k, v in to_json(metric).items() if k not in ("name", "version", *aside))
    return f"{metric.name}({','.join(told)})"


def metrics_of(study) -> list[Metric]:
    """What a study is scored by: the metrics that it lists, and what must stand beside a likelihood."""
    return [*study.metrics, *companions.companions(study.metrics, study.data)]


def score(study, store: Store, keys: Iterable[str], jobs: int = 1, backend: str = "loky") -> dict[str, int]:
    """Score every counted cell of these keys that lacks a score; what happened, in numbers."""
    known = store.latest("counted", "key")
    records = [r for r in (known.get((key,)) for key in keys) if r]
    metrics = metrics_of(study)
    tally = score_records(metrics, study.data, store, records, jobs=jobs, backend=backend)
    return tally | warn(store, records, [label(metric, metrics) for metric in metrics])


def warn(store: Store, records: Sequence[dict], labels: Collection[str]) -> dict[str, int]:
    """Say on stderr which arms wrote samples that have collapsed, by metrics of these labels; how many cells, where
    there are any.
    """
    scores: dict[str, list[dict]] = {}
    known = store.latest("scored", "key", "label")
    for found in (known.get((record["key"], label)) for record in records for label in labels):
        if (
            found
            and found.get("level") is not None
            and found["status"] == "done"
            and collapse.collapsed(found["metric"]["name"], found["value"], found["level"])
        ):
            scores.setdefault(found["key"], []).append(found)
    arms: dict[str, list[dict]] = {}
    for record in records:
        if record["status"] == "done" and not record.get("control") and record["key"] in scores:
            arms.setdefault(record["arm"], []).append(record)
    progress = Progress(len(records), "score")
    for arm, mine in arms.items():
        worst = min((found for record in mine for found in scores[record["key"]]),
                    key=lambda found: found["value"] / found["level"])
        of = sum(r["arm"] == arm and r["status"] == "done" for r in records)
        progress.note(
            "warning: "
            f"{collapse.sentence(arm, worst['label'], worst['value'], worst['level'], f'{len(mine)} of {of} points')}"
        )
    return {"collapsed": sum(map(len, arms.values()))} if arms else {}


class Plan(NamedTuple):
    """A metric and what its records say of it."""

    metric: Metric
    about: str      # canonical
    label: str

    def score_key(self, record: dict) -> str:
        return score_key(record["key"], record["samples_sha256"], self.about)


def plans(metrics: Sequence[Metric], beside: Sequence[Metric] = ()) -> list[Plan]:
    return [Plan(metric, canonical(about(metric)), label(metric, {*metrics, *beside})) for metric in metrics]


def score_records(metrics: Sequence[Metric], data, store: Store, records: Sequence[dict], beside: Sequence[Metric] = (),
                  jobs: int = 1,
                  backend: str = "loky") -> dict[str, int]:
    """The same for records of one data set: no sampler or network is needed. Labels differ from those of the metrics
    `beside`.
    """
    planned, tally = plans(metrics, beside), {"scored": 0, "unscored": 0}
    # wanted: key -> [(score key, number of the metric)]
    begun: dict[str, dict | None] = {}    # score key -> its record as it is now
    scored, evidence, wanted = store.latest("scored", "score_key"), Evidence(store), {}
    for record in (r for r in records if r["status"] == "done"):
        found = [(to, k, scored.get((to,))) for k, plan in enumerate(planned) if (to := plan.score_key(record))]
        begun |= {to: old for to, _, old in found}
        if lacking := [(to, k) for to, k, old in found if not (old and _stands(store, old, planned[k])
                                                               and _proven(store, evidence, old, planned[k], data))]:
            wanted[record["key"]] = lacking
    if not wanted:
        return tally
    known = {record["key"]: record for record in records}
    owners, level = {to: (key, planned[k]) for key, lacking in wanted.items() for to,
                     k in lacking}, _levels(records, data)

    def due(key: str) -> bool:
        """Whether no other run has scored the cell, or tried to, since this one began."""
        store.refresh()
        now = store.latest("scored", "score_key")
        tried = [to for to, k in wanted[key] if now.get((to,)) != begun[to]
                 and provenance.surely(now[to,]["made"])]
        tally["unscored"] += sum(now[to,]["status"] == "failed" for to in tried)
        wanted[key] = [(to, k) for to, k in wanted[key] if to not in tried]
        return bool(wanted[key])

    def jobs_of(keys: Iterable[str]) -> Iterator[tuple]:
        return ((store.get("samples", key), [(to, metrics[k]) for to, k in wanted[key]], data) for key in keys)

    def work(keys: Iterable[str]) -> Iterable[list[Answer]]:
        return (
            (scores_of(*job) for job in jobs_of(keys))
            if jobs == 1 and backend == "loky"
            else each(scores_of, jobs_of(keys), jobs, backend)
        )

    for key in wanted if jobs > 1 or backend != "loky" else ():
        if not store.has("samples", key):
            store.get("samples", key)    # raises here, and not where the workers are fed
    with Hands(store.folder, Progress(len(wanted), "score").note) as hands:
        for answers in hands.share({key: key for key in wanted}, due, work,
                                   lambda answers: owners[answers[0].score_key][0]):
            for answer in answers:
                key, plan = owners[answer.score_key]
                with hands.guard:
                    _keep(store, known[key], plan, answer, level(plan.metric, key))
                tally["unscored" if answer.reason else "scored"] += 1
    return tally


def _keep(store: Store, record: dict, plan: Plan, answer: "Answer", level: dict) -> None:
    metric, per = plan.metric, "row" if answer.table.size else "set"
    if answer.table.size:
        store.put("scores", answer.score_key, answer.table)
    store.append({"type": "scored", "key": record["key"], "score_key": answer.score_key,
                  "samples_sha256": record["samples_sha256"], "metric": described(metric),
                  "label": plan.label, "better": metric.better, "unit": metric.unit, "n": answer.n,
                  "made": provenance.made(bool(foreign(metric))),
                  "status": "failed" if answer.reason else "done", "reason": answer.reason, "value": answer.value,
                  "per": per, **level})


def _levels(records: Sequence[dict], data) -> Callable[[Metric, str], dict]:
    """(metric, key of a cell) -> {"level": what as many held-out rows have}, of metrics that tell of a collapse."""
    rows = {record["key"]: (record["cell"].get("n"), record["cell"].get("seed")) for record in records}

    @cache
    def held_out(metric: Metric, n: int, seed: int) -> float | None:
        return companions.level(metric, data, n, seed)

    def level(metric: Metric, key: str) -> dict:
        n, seed = rows[key]
        # a Protocol
        known = metric.name in collapse.SHARE and None not in (n, seed)
        found = held_out(metric, n, seed) if known else None
        return {} if found is None else {"level": found}

    return level


def _stands(store: Store, old: dict, plan: Plan) -> bool:
    """Whether a stored score is whole, and has the label of a plan."""
    return (
        old["status"] == "done"
        and old["label"] == plan.label
        and (old["per"] == "set" or store.has("scores", old["score_key"]))
    )


def _proven(store: Store, evidence: Evidence, old: dict, plan: Plan, data) -> bool:
    """Whether a stored score is what the metric gives now. A score of other code is looked at, on some rows where each
    stands for itself; what came of it is stored.
    """
    if (standing := evidence.standing(old)) != PROVEN and store.has("samples", old["key"]):
        same, rows = _again(store, old, plan, data)
        standing = PROVEN if same else REFUTED
        store.append({"type": "proof", "key": old["score_key"], "of": old["samples_sha256"], "verdict": standing,
                      "rows": rows, "seen": [plan.label], "reason": "",
                      "machine": "", "made": provenance.made(bool(foreign(plan.metric)))})
    return standing != REFUTED


def _again(store: Store, old: dict, plan: Plan, data) -> tuple[bool, int]:
    """Whether the rows that were looked at have the scores that they had, and how many these were."""
    samples, score = store.get("samples", old["key"]), partial(table_of, plan.metric, data=data)
    if old["per"] == "row":
        ids, table = drawn(old["score_key"], provenance.tree(), old["n"]), store.get("scores", old["score_key"])
        if (differ := differing(score, samples[ids], table[:, ids])) is not None:
            return not differ.any(), len(ids)
    (answer,) = scores_of(samples, [(old["score_key"], plan.metric)], data)
    return not answer.reason and bool(near(answer.value, old["value"])), old["n"]


class Answer(NamedTuple):
    score_key: str
    n: int
    value: float | None
    table: np.ndarray    # (2, n), or (2, 0) of a metric of the set
    reason: str          # why there is no value


def scores_of(samples: np.ndarray, wanted: Sequence[tuple[str, Metric]], data) -> list[Answer]:
    """samples (n, L) under some metrics; a metric that fails is an answer too."""
    rows, found = torch.from_numpy(samples.astype(np.int64)), []
    for key, metric in wanted:
        try:
            value, numerator, denominator = metric.score(rows, data)
            value, table = float(value), np.asarray([numerator, denominator], dtype=np.float64)
            if not isfinite(value) or not np.isfinite(table).all():
                raise ValueError(f"{metric.name} is not a number")
            if table.size and not consistent(value, table):
                raise ValueError(f"{metric.name} gives the value {value:.6g}, which is not numerator.sum() / "
                                 "denominator.sum(): return harness.metrics.form.ratio(...)")
            found.append(Answer(key, len(rows), value, table, ""))
        except Exception as error:
            found.append(Answer(key, len(rows), None, np.empty((2, 0)), f"{type(error).__name__}: {error}"))
    return found


def table_of(metric: Metric, samples: np.ndarray, data) -> np.ndarray:
    """Numerators and denominators by row, (2, n); (2, 0) of a metric of the set, or of one that fails."""
    return scores_of(samples, [("", metric)], data)[0].table
