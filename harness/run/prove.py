"""Evidence for stored results: some rows of a cell sampled again by the code that runs now, and compared to the bit.

    ssmd-bench prove [STUDY | RUN ...] [--rows 16 | all] [--against COMMIT]

Every draw is a function of (seed, row, stream, index), so any rows of a cell can be sampled alone. Which ones depends
on the key of the cell and on the sources, so that the next change looks at others. They are compared in

    costs      needed NFE A, B and C of each row
    counts     passes, blocks, FLOPs and tokens by row, where they are kept
    tokens     by the digest of each row, or the samples
    scores     of each row under the metrics of the study, to 1 part in 1e5

They are sampled in a small batch and without torch.compile. Where a few differ, they are looked at once more as the
cell was sampled: within a batch as full as its own, compiled where it was, for a library may round otherwise in a small
one. Rows whose tokens still differ are sampled by the sources of the last proof as well, where git has them, or by
those of --against (harness/run/against.py): if they give the same here, rounding of this machine is all, and the code
is proven. On a machine where other rows of the cell came out the same before, that is asked of a few rows in bfloat16
alone; all others are refuted there. On another machine, or under another torch, the verdict is left open where no other
sources can be asked.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from harness.kinds import Metric
from harness.records import provenance
from harness.records.arrays import digest, row_digests
from harness.records.standing import PROVEN, REFUTED, UNPROVEN
from harness.records.store import Store
from harness.run import scoring, shard
from harness.run.backend import each
from harness.run.cell import Cell
from harness.run.count import cost_of, sampled
from harness.run.spot_check import differing, drawn
from harness.study import Study

FEW = 0.25    # of the rows: rounding changes no more; where more differ, there is no second look


class Known(NamedTuple):
    """What a store holds of some rows of a cell."""

    costs: np.ndarray                                  # (m, 3)
    counts: np.ndarray | None                          # (m, 4 + calls), -1 where not known
    digests: np.ndarray | None                         # (m,) uint64, 0 where not known
    scores: dict[str, tuple[Metric, np.ndarray]]       # label -> the metric, and (2, m)


class Look(NamedTuple):
    """What came of looking at some rows."""

    key: str
    verdict: str           # "equal", or "differ"
    rows: np.ndarray       # (m,) their numbers
    seen: tuple[str, ...]  # what was compared
    reason: str            # what differs
    digests: np.ndarray    # (m,) uint64 of the rows as they are now
    counts: np.ndarray     # (m, 4 + calls)
    differing: int         # rows
    beyond: bool = False   # whether any differs though its tokens are known not to, or none of them is known
    seconds: float = 0.0   # that it took


def known(store: Store, record: dict, metrics: Sequence[Metric], ids: np.ndarray) -> Known:
    """What is kept of these rows. Raises ValueError if the costs are not."""
    key = record["key"]
    digests = store.get("rows", key)[ids] if store.has("rows", key) else None
    if digests is None and store.has("samples", key):
        digests = row_digests(store.get("samples", key)[ids])
    counts = store.get("counts", key)[ids] if store.has("counts", key) else None
    scores, scored = {}, store.latest("scored", "score_key")
    for plan in scoring.plans(metrics):
        found = scored.get((plan.score_key(record),))
        if found and found["status"] == "done" and found["per"] == "row" and store.has("scores", found["score_key"]):
            scores[plan.label] = plan.metric, store.get("scores", found["score_key"])[:, ids]
    return Known(store.get("costs", key)[ids], counts, digests, scores)


def known_tokens(store: Store, key: str) -> np.ndarray | None:
    """(k,) The rows whose tokens can be compared, where that is not all of them."""
    if store.has("samples", key) or not store.has("rows", key):
        return None
    found = np.flatnonzero(store.get("rows", key))
    return None if len(found) == len(store.get("rows", key)) else found


def metrics_here(study: Study) -> tuple[list[Metric], list[str]]:
    """The metrics of a study whose weights are here, which are compared beside costs, counts and tokens; and why others
    are not.
    """
    found, absent = [], []
    for metric in scoring.metrics_of(study):
        try:
            scoring.about(metric)
            found.append(metric)
        except ValueError as error:
            absent.append(f"{metric.name} is not compared: {error}")
    return found, absent


def look(cell: Cell, ids: np.ndarray, before: Known) -> Look:
    """Sample rows (m,) of a cell again and compare them. A sampler or network that raises is a difference too."""
    begun = time.perf_counter()
    found = _compared(_plain(cell), ids, ids, before)
    fuller = _filled(ids, cell.study.n, cell.study.batch)
    few = 0 < found.differing <= FEW * len(ids)
    if few and not cell.is_control and (cell.study.compiled or len(fuller) > len(ids)):
        found = _compared(cell, fuller, ids, before)
    return found._replace(key=cell.key(), seconds=time.perf_counter() - begun)


def _plain(cell: Cell) -> Cell:
    """The same without torch.compile, which takes longer than some rows do and seldom changes one of their tokens."""
    return replace(cell, study=replace(cell.study, compiled=False)) if cell.study.compiled else cell


def _filled(ids: np.ndarray, n: int, batch: int) -> np.ndarray:
    """These rows, and as many others as a batch of the cell takes."""
    others = np.setdiff1d(np.arange(n), ids)[: max(0, min(batch, n) - len(ids))]
    return np.union1d(ids, others)


def _compared(cell: Cell, numbers: np.ndarray, ids: np.ndarray, before: Known) -> Look:
    place = np.searchsorted(numbers, ids)
    try:
        ledger, tokens = sampled(cell, numbers)
    except Exception as error:
        return Look("", "differ", ids, ("tokens",), f"{type(error).__name__}: {error}", np.zeros(len(ids), np.uint64),
                    np.zeros((len(ids), 0), np.int64), len(ids))
    now, tokens = row_digests(tokens[place]), tokens[place]
    rows = {"costs": (cost_of(ledger, cell)[1][place] != before.costs).any(1)}                     # (m,) each
    counts = shard.counts(ledger)[1][place]                                        # (m, 4 + calls + later)
    if before.counts is not None:
        counts = counts[:, : shard.width(counts, before.counts)]
    if before.counts is not None and (before.counts >= 0).any():
        same = (
            (counts == before.counts) | (before.counts < 0)
            if counts.shape == before.counts.shape
            else np.zeros((len(ids), 1), bool)
        )
        rows["counts"] = ~same.all(1)
    if before.digests is not None and before.digests.any():
        rows["tokens"] = (now != before.digests) & (before.digests != 0)
    for label, (metric, table) in before.scores.items():
        if (differ := differing(partial(scoring.table_of, metric, data=cell.study.data), tokens, table)) is not None:
            rows[label] = differ
    wrong = [f"{what} of {int(differ.sum())} of {len(ids)} rows" for what, differ in rows.items() if differ.any()]
    any_of = np.any([*rows.values()], axis=0)                                      # (m,)
    # where some tokens are known to be equal, what differs in their rows is told from what differs with the tokens
    told = before.digests != 0 if "tokens" in rows else np.ones(len(ids), bool)
    beyond = any_of & told & ~rows.get("tokens", np.zeros(len(ids), bool))
    return Look("", "differ" if wrong else "equal", ids, tuple(rows), ", ".join(wrong), now, counts, int(any_of.sum()),
                bool(beyond.any()))


def looks(wanted: Iterable[tuple[Cell, dict]], store: Store, metrics: Sequence[Metric], rows: int | None, jobs: int = 1,
          backend: str = "loky") -> Iterator[Look]:
    """Of cells with their finished records, as they come; rows: how many of each, None for all."""
    items = []
    for cell, record in wanted:
        n = record["cell"]["n"]
        kept = known_tokens(store, record["key"])
        ids = drawn(record["key"], provenance.tree(), n, n if rows is None else rows, kept)
        items.append((cell, ids, known(store, record, metrics, ids)))
    if jobs == 1 and backend == "loky":
        yield from (look(*item) for item in items)
    else:
        yield from each(look, items, jobs, backend)


def verdict(found: Look, record: Mapping, last: Mapping | None, here: bool) -> tuple[str, str]:
    """Of a record: proven, refuted, or unproven; and why. here: its rows came out the same on this machine before;
    last: the code by which.
    """
    if found.verdict == "equal":
        if {*found.seen} <= {"costs", "counts"}:
            return UNPROVEN, "costs and counts are equal, and nothing of its tokens is kept that could be compared"
        return PROVEN, ""
    now = provenance.made()
    same = here and last is not None and all(last[name] == now[name] for name in ("torch", "numpy"))
    if same:
        return REFUTED, found.reason
    return UNPROVEN, (f"{found.reason}; another machine or another torch made them, so that rounding may be all: prove "
                      "them with --against COMMIT")


def of_tokens(found: Look) -> bool:
    """Whether rows differ, and none of them by its costs or scores alone: other sources can be asked for tokens."""
    return found.verdict != "equal" and not found.beyond


def may_be_rounding(found: Look, said: str, dtype: str) -> bool:
    """Whether other sources are to be asked unbidden. Where other rows came out the same on this machine, only a few
    rows of products in bfloat16 may be another rounding.
    """
    few = found.differing <= FEW * len(found.rows)
    return of_tokens(found) and (said == UNPROVEN or dtype == "bfloat16" and few)


def proof(found: Look, record: Mapping, said: str, reason: str, machine: str, own: bool,
          against: str | None = None) -> dict:
    """The record to be appended."""
    about = {"type": "proof", "key": found.key, "of": record["samples_sha256"], "verdict": said,
             "rows": len(found.rows), "seen": list(found.seen),
             "reason": reason, "seconds": round(found.seconds, 3), "machine": machine, "made": provenance.made(own)}
    return about | ({"against": against} if against else {})


def learn(found: Look, record: dict, store: Store) -> None:
    """Keep digests and counts of the rows of a proven cell that were looked at, where a record of schema 1, or an
    earlier look, lacks them.
    """
    key, n = record["key"], record["cell"]["n"]
    digests = store.get("rows", key) if store.has("rows", key) else np.zeros(n, np.uint64)
    if digests.all():
        return
    counts = store.get("counts", key) if store.has("counts", key) else np.full((n, found.counts.shape[1]), -1, np.int64)
    digests[found.rows], counts[found.rows] = found.digests, found.counts
    store.put("rows", key, digests)
    store.put("counts", key, counts)
    store.append({name: value for name, value in record.items() if name not in ("schema", "time")}
                 | {"rows_sha256": digest(digests), "counts_sha256": digest(counts)})
