"""Loops and passes timed side by side: what sampling adds to its bare passes, and what each optimisation is worth
against the plain path it replaced.

Claims overhead.{ancestral, ssmd}.{v28, v50258, v50258.d768}, speed.{queue, kept_keys, lazy_head, gather_first,
block_sums, told_in_float32, draws.{1, 512, 8192}}, queue.executed_over_needed, seconds_ratio.text and
seconds_share_of_nfe_gain.text.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context

import torch
from torch import Tensor

from baselines.ancestral import Ancestral
from harness.boundary.heap import keep_freed
from harness.claims.claim import claim
from harness.kinds import Denoiser
from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig, gather_rows
from harness.nets.wrap import Wrapper
from harness.random import Stream, _drawn, from_logits, probability_of, uniform
from harness.records.measured import cached_table, column, newest
from harness.records.store import Store
from harness.run.clock import busy, timed
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.sampling.reveal import probabilities
from harness.schedules.window import Linear
from harness.stats.intervals import time_ratio
from harness.study import Study
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative
from ssmd.train.family import SHIPPED
from studies.analysis.script import Script
from studies.speed import draws

PROCESSES, REPEATS = 6, 3
NAME, COLUMNS = "seconds side by side", ("pair", "process", "repeat", "first", "second", "busy")
DRAWS = "draws side by side"
COUNTED, COUNTS = "passes and FLOPs", ("what", "value")
LARGE, PUBLISHED = 50_257, ".d768"    # symbols beside MASK; end of a name
MATCHED = "seconds_ratio.text"


class Anew(Wrapper):
    """Every verify pass computes every track: the plain path of ssmd/model.py."""

    def verify(self, hidden, y, order, at, alive=None):
        state = self.net.target_hidden(hidden.h, y, order, int(at.max()) + 1)
        return self.net.target_logits(gather_rows(state, at))


class FullHead(Wrapper):
    """Logits everywhere, of which those wanted are taken."""

    def draft(self, x, at=None, alive=None, clock=None):
        logits, hidden = self.net.draft(x, None, alive, clock)
        return logits if at is None else gather_rows(logits, at), hidden


@dataclass(frozen=True)
class Run:
    sampler: Ancestral | SelfSpeculative
    net: Denoiser
    n: int
    length: int
    batch: int

    def __call__(self, net: Denoiser | None = None, queue: bool = True, ledger: Ledger | None = None) -> Tensor:
        return sample(self.sampler, {"main": net or self.net}, torch.full((self.n, self.length), self.net.mask), 0,
                      self.batch, ledger=ledger, queue=queue)


@lru_cache
def shipped(name: str) -> Denoiser:
    return checkpoint.load(SHIPPED / f"{name}.safetensors")


@lru_cache
def wide(kind: str, width: int = 128, blocks: int = 6) -> Denoiser:
    """A network over 50,257 tokens, of the shipped shape or a given one; what it writes does not matter here."""
    torch.manual_seed(0)
    shape = {"vocab": LARGE, "width": width, "heads": width // 32 if width < 768 else 12}
    net = (
        Transformer(TransformerConfig(**shape, blocks=blocks))
        if kind == "heavy"
        else Hybrid(HybridConfig(**shape, blocks=blocks - 1))
    )
    return net.eval().requires_grad_(False)


def loops() -> dict[str, Run]:
    ancestral, ssmd = Ancestral(16), SelfSpeculative(Linear(0.125), 10)
    return {"ancestral.v28": Run(ancestral, shipped("heavy"), 8, 256, 8),
            "ssmd.v28": Run(ssmd, shipped("hybrid"), 8, 256, 8),
            "ancestral.v50258": Run(ancestral, wide("heavy"), 4, 256, 4),
            "ssmd.v50258": Run(ssmd, wide("hybrid"), 4, 256, 4)}


def published() -> dict[str, Run]:
    """The same loops on networks of the shape reported for OpenWebText (arXiv 2510.03929), one row each: a run takes
    tens of seconds.
    """
    return {f"{name}.v50258{PUBLISHED}": Run(sampler, wide(kind, 768, 12), 1, 256, 1)
            for name, kind, sampler in (("ancestral", "heavy", Ancestral(8)),
                                        ("ssmd", "hybrid", SelfSpeculative(Linear(0.125), 10)))}


def matched() -> tuple[Run, Run]:
    """Ancestral sampling in 32 steps, and the self-speculative sampler at the setting of text_frontier that is nearest
    to it in quality.
    """
    return tuple(Run(sampler, shipped(name), 32, 128, 32) for sampler,
                 name in ((Ancestral(32), "heavy"), (SelfSpeculative(Linear(0.0625), 10), "hybrid_frozen")))


def bare(run: Run, net: Denoiser) -> Callable[[], None]:
    """The passes of this run alone."""
    script = Script(net)
    run(script)
    return script.play


def pairs() -> dict[str, tuple[Callable, Callable]]:
    """Name -> (what is held to be slower, what is held to be faster)."""
    made = {}
    for name, run in (loops() | published()).items():
        made[f"overhead.{name}"] = run, bare(run, run.net)
    full, lazy = FullHead(wide("heavy")), loops()["ancestral.v50258"]
    made["overhead.ancestral.v50258.bare_full_head"] = lazy, bare(lazy, full)
    queued = Run(SelfSpeculative(Linear(0.25), 2), shipped("hybrid"), 128, 128, 16)
    kept = Run(SelfSpeculative(Linear(0.125), 10), shipped("hybrid_frozen"), 32, 128, 32)
    made |= {"speed.queue": (lambda: queued(queue=False), queued),
             "speed.kept_keys": (lambda: kept(Anew(kept.net)), kept), "speed.lazy_head": (lambda: lazy(full), lazy)}
    made[MATCHED] = matched()
    logits, at = torch.randn(4, 256, LARGE), torch.arange(16).expand(4, 16)
    made["speed.gather_first"] = (
        lambda: gather_rows(probabilities(logits), at),
        lambda: probabilities(gather_rows(logits, at)),
    )
    few = logits[:, :32].reshape(-1, LARGE)                                        # (128, V)
    u = uniform(0, torch.arange(len(few)), Stream.TOKEN, torch.arange(1))[:, 0]    # (128,)
    tokens, p = _drawn(few, u)
    made["speed.block_sums"] = lambda: _drawn(few, u), lambda: from_logits(few, u)
    made["speed.told_in_float32"] = lambda: probability_of(tokens, few), lambda: probability_of(tokens, few, u * p)
    return made


def in_process(process: int) -> list[list]:
    """Each pair once untimed, then in turns."""
    torch.set_num_threads(1)
    keep_freed()    # as every process of ssmd-bench does
    found = []
    for name, (first, second) in pairs().items():
        others = busy(seconds=0.2)
        first(), second()
        repeats = 1 if name.endswith(PUBLISHED) else REPEATS
        found += [[name, process, k, timed(first)[0], timed(second)[0], others] for k in range(repeats)]
    return found


def _rows(timed_in: Callable[[int], list[list]]) -> list[list]:
    found = []
    for process in range(PROCESSES):
        with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
            found += fresh.submit(timed_in, process).result()
    return found


def measure(study: Study, store: Store) -> list[dict]:
    """Seconds of every pair, in turns, in processes of their own one after the other; and what is counted of two of
    them.
    """
    cells = store.of("counted")[:1]
    return [cached_table(store, study.name, NAME, COLUMNS, lambda: _rows(in_process), cells, processes=PROCESSES,
                         repeats=REPEATS),
            cached_table(store, study.name, DRAWS, draws.COLUMNS, lambda: _rows(draws.in_process), cells,
                         processes=PROCESSES),
            cached_table(store, study.name, COUNTED, COUNTS,
                         lambda: [["passes", _passes()], ["executed", _executed()]], cells,
                 rows=[pair.n for pair in (*matched(), padded())])]


def claims(store: Store, command: str) -> list[dict]:
    """overhead.*: seconds of a sampling loop over those of its bare passes. speed.*: seconds of the plain path over
    those of the present one.
    """
    table, counts = newest(store, NAME), newest(store, COUNTED)
    if table is None or counts is None:
        print("overhead.* and speed.*: no claim, nothing was timed; run the study without --only")
        return []
    made = []
    for name in dict.fromkeys(column(table, "pair")):
        made.append(_ratio(table, name, command, "pair", name))
        if name == MATCHED:
            (passes,) = column(counts, "value", what="passes")
            v = made[-1]
            share, keys = (v[end] / passes for end in ("value", "low", "high")), [table["key"], counts["key"]]
            about = f"{v['value']:.2f} of the seconds for {passes:.2f} of the passes (NFE A, a count); {v['note']}"
            made.append(claim("seconds_share_of_nfe_gain.text", *share, "seconds ratio / NFE ratio", v["n"], command,
                              keys, about))
    if drawn := newest(store, DRAWS):
        made += [_ratio(drawn, f"speed.draws.{n}", command, "draws", n) for n in draws.SIZES]
    (value,) = column(counts, "value", what="executed")
    note = "a count, without error: padding to the widest window of a batch"
    return [*made, claim("queue.executed_over_needed", value, value, value, "FLOPs / FLOPs", padded().n, command,
                         [counts["key"]], note)]


def _ratio(table: dict, name: str, command: str, of: str, which: str | int) -> dict:
    """The claim of one pair of a table: seconds of the first over those of the second."""
    sides = [[column(table, side, **{of: which, "process": k}) for k in range(PROCESSES)]
             for side in ("first", "second")]
    v, others = time_ratio(*sides), max((x for x in column(table, "busy") if x is not None), default=None)
    note = f"{PROCESSES} processes" + ("" if others is None else f", others took up to {others:.0%} of the machine")
    return claim(name, v.value, v.low, v.high, "seconds / seconds", v.n, command, [table["key"]], note)


def _passes() -> float:
    """Passes of the first over passes of the second of the matched pair, NFE A on the very rows that are timed."""
    def cost(run: Run) -> float:
        ledger = Ledger(run.n, run.length, run.net.mask)
        run(ledger=ledger)
        return float(ledger.blocks.sum())

    first, second = matched()
    return cost(first) / cost(second)


def padded() -> Run:
    """Eight batches of rows whose windows differ."""
    return Run(SelfSpeculative(Linear(0.25), 2), shipped("hybrid"), 512, 128, 64)


def _executed() -> float:
    """FLOPs that the device executed over those that rows needed, over blocks of rows."""
    run = padded()
    ledger = Ledger(run.n, run.length, run.net.mask)
    run(ledger=ledger)
    return ledger.executed_flops / float(ledger.flops.sum())
