"""Acceptance as draft and target predict it and as the ledger counts it, on the sampler's own states and on held-out
text.

Claims acceptance.first_depth, .all and .predicted_minus_counted, by number of verify rounds.
"""

import torch

from harness.claims.claim import claim
from harness.kinds import Denoiser
from harness.records.measured import cached_table, column
from harness.records.points import done
from harness.records.store import Store
from harness.run.cell import Cell, cells_of
from harness.study import Study
from ssmd.acceptance import Run, compare, data_rows, fresh_rows, watch
from ssmd.sampler import SelfSpeculative

BLOCKS, STAGES = 32, 8    # blocks of rows, whose spread gives the intervals; stages of a held-out row
COLUMNS = ("key", "states", "by", "index", "tests", *(f"{what}{end}" for what in ("predicted", "counted", "difference")
                                                      for end in ("", "_low", "_high")))


def own_states(study: Study, sampler: SelfSpeculative, net: Denoiser) -> list[Run]:
    data = study.data
    return [watch(sampler, net, fresh_rows(sampler, ids, data.length, data.mask, study.seed))
            for ids in torch.arange(study.n).chunk(BLOCKS)]


def text_states(study: Study, sampler: SelfSpeculative, net: Denoiser) -> list[Run]:
    ids, text = torch.arange(study.n).chunk(BLOCKS), study.data.rows("test", study.n, study.seed).chunk(BLOCKS)
    return [watch(sampler, net, data_rows(sampler, x, part, study.data.mask, study.seed, STAGES), whole=False) for part,
            x in zip(ids, text)]


def _rows(cell: Cell, states: str, runs: list[Run]) -> list[list]:
    return [[cell.key(), states, c.by, c.index, c.tests, *c.predicted[:3], *c.counted[:3], *c.difference[:3]]
            for c in compare(runs)]


def measure(study: Study, store: Store) -> list[dict]:
    """Predicted and counted acceptance of every cell, on its own states and on held-out text."""
    known, made = {r["key"]: r for arm in study.arms for r in done(store, arm.name, study.n)}, []
    if study.n < BLOCKS or study.prompt:
        raise ValueError(f"acceptance is compared over {BLOCKS} blocks of unprompted rows: --n must be at least "
                         f"{BLOCKS}")
    for cell in cells_of(study):
        if record := known.get(cell.key()):
            for states, of in (("own", own_states), ("text", text_states)):
                made.append(cached_table(store, study.name, f"acceptance on {states} states", COLUMNS,
                                         lambda c=cell, s=states,
                                 f=of: _rows(c, s, f(study, c.sampler, c.wrapped_networks()["main"])),
                                 [record], stages=STAGES, blocks=BLOCKS))
    return made


def claims(store: Store, command: str) -> list[dict]:
    """acceptance.first_depth, .all and .predicted_minus_counted of the sampler's own states, by number of verify
    rounds.
    """
    rows = []
    for record in done(store, "ssmd"):
        found = next((m for m in reversed(store.of("measured")) if record["key"] in m["cells"] and "own" in m["name"]),
                     None)
        if found is None:
            continue
        sampler, n = record["cell"]["sampler"], record["cell"]["n"]
        tail = f"N{sampler['rounds']}"

        def add(name: str, what: str, by: str, unit: str, sign: int = 1, record=record, found=found, tail=tail, n=n):
            span = [sign * v for end in ("", "_low", "_high") for v in column(found, f"{what}{end}", by=by, index=1)]
            if not span:
                return  # everything was accepted there, or nothing
            value, low, high = span
            rows.append(claim(f"acceptance.{name}.{tail}", value, min(low, high), max(low, high), unit, n, command,
                              [record["key"]],
                              f"own states, intervals over {BLOCKS} blocks of rows"))

        add("first_depth", "counted", "depth", "share of drafts accepted at depth 1")
        add("all", "counted", "all", "share of drafts accepted")
        add("predicted_minus_counted", "difference", "all", "difference of shares", sign=-1)
    return rows
