"""How does acceptance evolve with depth, progress and verify round, and is it what draft and target predict at the states that the sampler meets?

Design: the shipped hybrid in one window, cosine(0.083), with 1, 2 and 10 verify rounds a draft pass. Its runs are taken again, row by row the same, with
a network that watches: at every verify pass it adds up 1 - TV(p, q) of the tracks, weighted by the chance that they are tested, and the chances of
each number of tokens revealed (ssmd/acceptance.py). Beside the sampler's own states: one round from each of 8 stages of held-out text. Expected:
predicted and counted agree within their intervals over blocks of rows; acceptance falls with depth; own states and text differ little, if the
samples are like text. About eight minutes on one core at n = 256.
"""

import torch

from harness.cell import Cell
from harness.claims import claim
from harness.kinds import Denoiser
from harness.measured import column, once
from harness.metrics.words import Spelling
from harness.points import done
from harness.store import Store
from harness.study import Arm, Study
from harness.window import Cosine
from ssmd.acceptance import Run, compare, data_rows, fresh_rows, watch
from ssmd.sampler import SelfSpeculative
from studies.demo import STUDY as DEMO

ROUNDS = (1, 2, 10)
BLOCKS, STAGES = 32, 8    # blocks of rows, whose spread gives the intervals; stages of a held-out row
COLUMNS = ("key", "states", "by", "index", "tests", *(f"{what}{end}" for what in ("predicted", "counted", "difference") for end in ("", "_low", "_high")))
MODULES = ("ssmd.acceptance", "ssmd.sampler", "harness.nets.transformer", "ssmd.model")

STUDY = Study(
    name="acceptance", question=__doc__, data=DEMO.data, nets={"hybrid": DEMO.nets["hybrid"]}, reference="hybrid",
    arms=[Arm("ssmd", [SelfSpeculative(Cosine(0.083), rounds) for rounds in ROUNDS], {"main": "hybrid"})],
    metrics=[Spelling()], n=256, batch=32)


def own_states(study: Study, sampler: SelfSpeculative, net: Denoiser) -> list[Run]:
    data = study.data
    return [watch(sampler, net, fresh_rows(sampler, ids, data.length, data.mask, study.seed)) for ids in torch.arange(study.n).chunk(BLOCKS)]


def text_states(study: Study, sampler: SelfSpeculative, net: Denoiser) -> list[Run]:
    ids, text = torch.arange(study.n).chunk(BLOCKS), study.data.rows("test", study.n, study.seed).chunk(BLOCKS)
    return [watch(sampler, net, data_rows(sampler, x, part, study.data.mask, study.seed, STAGES), whole=False) for part, x in zip(ids, text)]


def _rows(cell: Cell, states: str, runs: list[Run]) -> list[list]:
    return [[cell.key(), states, c.by, c.index, c.tests, *c.predicted[:3], *c.counted[:3], *c.difference[:3]] for c in compare(runs)]


def measure(study: Study, store: Store) -> list[dict]:
    """Predicted and counted acceptance of every cell, on its own states and on held-out text."""
    known, made = {r["key"]: r for arm in study.arms for r in done(store, arm.name, study.n)}, []
    if study.n < BLOCKS or study.prompt:
        raise ValueError(f"acceptance is compared over {BLOCKS} blocks of unprompted rows: --n must be at least {BLOCKS}")
    for cell in study.cells():
        if record := known.get(cell.key()):
            for states, of in (("own", own_states), ("text", text_states)):
                made.append(once(store, study.name, f"acceptance on {states} states", COLUMNS, lambda c=cell, s=states, f=of: _rows(c, s, f(study, c.sampler, c.heated()["main"])),
                                 [record], (__name__, *MODULES), stages=STAGES, blocks=BLOCKS))
    return made


def claims(store: Store, command: str) -> list[dict]:
    """acceptance.first_depth, .all and .predicted_minus_counted of the sampler's own states, by number of verify rounds."""
    rows = []
    for record in done(store, "ssmd"):
        found = next((m for m in reversed(store.of("measured")) if record["key"] in m["cells"] and "own" in m["name"]), None)
        if found is None:
            continue
        sampler, n = record["cell"]["sampler"], record["cell"]["n"]
        tail = f"N{sampler['rounds']}"

        def add(name: str, what: str, by: str, unit: str, sign: int = 1, record=record, found=found, tail=tail, n=n):
            span = [sign * v for end in ("", "_low", "_high") for v in column(found, f"{what}{end}", by=by, index=1)]
            if not span:
                return                                                             # everything was accepted there, or nothing
            value, low, high = span
            rows.append(claim(f"acceptance.{name}.{tail}", value, min(low, high), max(low, high), unit, n, command, [record["key"]],
                              f"own states, intervals over {BLOCKS} blocks of rows", modules=MODULES))

        add("first_depth", "counted", "depth", "share of drafts accepted at depth 1")
        add("all", "counted", "all", "share of drafts accepted")
        add("predicted_minus_counted", "difference", "all", "difference of shares", sign=-1)
    return rows
