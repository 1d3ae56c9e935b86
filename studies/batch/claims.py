"""The passes of each row watched once, and what a device with a fixed batch executes of them. Claims
batch.executed_over_needed.N{ROUNDS}.B{SIZE}.{queue, waiting}.
"""

import torch

from harness.claims.claim import claim
from harness.records.measured import cached_table, column
from harness.records.points import done
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.spec import brief
from harness.stats.agreement import spanned
from harness.study import Study
from studies.batch.fixed_batch import KINDS, executed, needed, resampled_order, watched

BATCHES, FILLS, RESAMPLES = (1, 4, 16, 64, 256), 8, 200
NAME, COLUMNS = "stragglers", ("key", "batch", "queue", "needed", "ratio", "low", "high", "same_rows")


def _rows(study: Study, cell, samples) -> list[list]:
    rounds, x = watched(cell.sampler, cell.wrapped_networks(), cell.prompts(), study.seed, study.batch)
    # below 1 on another machine than that of the record
    same = float((x.cpu() == torch.from_numpy(samples)).all(1).double().mean())
    reference, made = study.nets[study.reference].load(cell.device).blocks("draft"), []
    blocks = [cell.nets()["main"].blocks(kind) / reference for kind in KINDS]
    for batch in BATCHES:
        order = resampled_order(study.n, RESAMPLES, FILLS * batch)
        want = needed(rounds, order) @ blocks                                      # (1 + resamples,)
        for queue in (True, False):
            ratio = executed(rounds, order, batch, queue) @ blocks * batch / want
            made.append([cell.key(), batch, queue, want[0] / order.shape[1], *spanned(ratio, study.n)[:3], same])
    return made


def measure(study: Study, store: Store) -> list[dict]:
    """Executed over needed passes by batch size, with and without the queue."""
    cells = {c.key(): c for c in cells_of(study)}
    known = [r for arm in study.arms for r in done(store, arm.name, study.n) if r["key"] in cells]
    return [cached_table(store, study.name, NAME, COLUMNS, lambda r=r: _rows(study, cells[r["key"]],
                                                                     store.get("samples", r["key"])), [r],
                 fills=FILLS, resamples=RESAMPLES) for r in known]


def claims(store: Store, command: str) -> list[dict]:
    """batch.executed_over_needed.N{ROUNDS}.B{SIZE}.{queue, waiting}, of a device with a fixed batch."""
    made = []
    for record in done(store, "ssmd"):
        sampler = record["cell"]["sampler"]
        found = next((m for m in reversed(store.of("measured")) if m["name"] == NAME and record["key"] in m["cells"]),
                     None)
        for batch in BATCHES[1:] if found else ():
            for queue, word in ((True, "queue"), (False, "waiting")):
                span = [column(found, end, batch=batch, queue=queue)[0] for end in ("ratio", "low", "high")]
                made.append(claim(f"batch.executed_over_needed.N{sampler['rounds']}.B{batch}.{word}", *span,
                                  "NFE A / NFE A", record["cell"]["n"], command, [record["key"]],
                                  f"{brief(sampler)}, a fixed batch of {batch} places, runs of at least {FILLS} "
                                  "batches"))
    return made
