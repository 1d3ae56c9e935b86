"""Growth of seconds, FLOPs and memory along one size at a time, and exponents fitted to it.

Claims growth.{ancestral, ssmd}.{length, vocabulary, batch, rows}.{seconds, flops, memory, loop_over_passes}.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor

from baselines.ancestral import Ancestral
from harness.claims.claim import claim
from harness.kinds import Denoiser, Sampler
from harness.nets.transformer import Transformer, TransformerConfig
from harness.records.machine import machine
from harness.records.measured import cached_table
from harness.records.store import Store
from harness.run.clock import peak, timed
from harness.run.progress import Progress
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.window import Linear
from harness.stats.intervals import Interval
from harness.study import Study
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative
from studies.analysis.script import Script

AXES = {"length": (64, 128, 256, 512, 1024), "vocabulary": (27, 128, 512, 4096, 50257), "batch": (4, 8, 16, 32, 64),
        "rows": (16, 32, 64, 128, 256)}
BASE = {"length": 128, "vocabulary": 27, "batch": 16, "rows": 16}
SAMPLERS = {"ancestral": Ancestral(16), "ssmd": SelfSpeculative(Linear(0.125), 4)}
REPEATS, PAGE = 2, 2**-8    # PAGE in MiB: less memory is not seen
COLUMNS = ("sampler", "axis", "at", "quantity", "value", "exponent", "low", "high")
# of a claim's name
FITTED = {"seconds": "seconds", "flops": "GFLOP", "memory": "MiB", "loop_over_passes": "loop over passes"}


class Sizes(NamedTuple):
    length: int
    vocabulary: int
    batch: int
    rows: int


class Point(NamedTuple):
    seconds: float    # of the whole loop
    bare: float       # of the calls it made of the network
    mib: float        # at the worst moment, beyond a process that has sampled two short rows
    gflop: float      # executed, all rows
    passes: float     # a row needed


def network(name: str, vocab: int) -> Transformer:
    torch.manual_seed(0)
    shape = {"vocab": vocab, "width": 64, "heads": 2}
    net = (
        Hybrid(HybridConfig(**shape, blocks=2, causal=1))
        if name == "ssmd"
        else Transformer(TransformerConfig(**shape, blocks=3))
    )
    return net.eval().requires_grad_(False)


def recorded(sampler: Sampler, net: Denoiser, sizes: Sizes) -> tuple[Script, Ledger, Tensor]:
    """A metered run: the calls it made, what they cost, and the rows written."""
    script, ledger = Script(net), Ledger(sizes.rows, sizes.length, net.mask)
    x = sample(sampler, {"main": script}, torch.full((sizes.rows, sizes.length), net.mask), 0, sizes.batch,
               ledger=ledger)
    return script, ledger, x


def point(name: str, sizes: Sizes) -> Point:
    """In a fresh process."""
    torch.set_num_threads(1)
    sampler = SAMPLERS[name]
    recorded(sampler, network(name, 3), Sizes(8, 3, 2, 2))    # loads what is loaded at the first call
    before, net = peak(lambda: None)[0], network(name, sizes.vocabulary)
    prompts = torch.full((sizes.rows, sizes.length), net.mask)

    def run() -> Tensor:
        return sample(sampler, {"main": net}, prompts, 0, sizes.batch)

    mib = peak(run)[0] - before
    script, ledger, _ = recorded(sampler, net, sizes)
    loop, bare = zip(*((timed(run)[0], timed(script.play)[0]) for _ in range(REPEATS)))
    return Point(min(loop), min(bare), max(mib, PAGE), ledger.executed_flops / 1e9,
                 float(sum(ledger.calls.values()).double().mean()))


def elsewhere(name: str, sizes: Sizes) -> Point:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(point, name, sizes).result()


def exponent(x: Sequence[float], y: Sequence[float]) -> Interval:
    """Slope of ln y against ln x by least squares, with Student's interval over the points: of the fit, so a bend
    widens it too.
    """
    a, b = (np.log(v) - np.log(v).mean() for v in (x, y))
    slope = a @ b / (a @ a)
    half = student.ppf(0.975, len(a) - 2) * (((b - slope * a) ** 2).sum() / (len(a) - 2) / (a @ a)) ** 0.5
    return Interval(float(slope), float(slope - half), float(slope + half), len(a), 0.95)


def _rows(name: str, axis: str, values: Sequence[int], progress: Progress) -> list[list]:
    found = []
    for at in values:
        found.append(elsewhere(name, Sizes(**BASE | {axis: at} | ({"rows": at} if axis == "batch" else {}))))
        progress.tick(f"{name}: {axis} {at}", f"{found[-1].seconds:.2f} s")
    table = {"seconds": [p.seconds for p in found], "seconds of passes": [p.bare for p in found],
             "loop over passes": [p.seconds / p.bare for p in found],
             "GFLOP": [p.gflop for p in found], "MiB": [p.mib for p in found],
             "passes a row": [p.passes for p in found]}
    fits = {quantity: exponent(values, column)[:3] for quantity, column in table.items()}
    return [[name, axis, at, quantity, value, *fits[quantity]] for quantity, column in table.items() for at,
            value in zip(values, column)]


def measure(study: Study, store: Store) -> list[dict]:
    """A table for each sampler and axis."""
    cells, progress = store.of("counted")[-1:], Progress(len(SAMPLERS) * sum(map(len, AXES.values())), "grow")
    about: dict[str, Any] = {"base": BASE, "repeats": REPEATS, "machine": machine("cpu")["id"]}
    return [cached_table(store, study.name, f"growth of {name} with {axis}", COLUMNS, lambda name=name,
                 axis=axis: _rows(name, axis, AXES[axis], progress), cells,
                 **about, at=list(AXES[axis])) for name, axis in product(SAMPLERS, AXES)]


def claims(store: Store, command: str) -> list[dict]:
    """growth.{ancestral, ssmd}.{length, vocabulary, batch, rows}.{seconds, flops, memory, loop_over_passes},
    exponents.
    """
    newest, made = {r["name"]: r for r in store.of("measured")}, []
    for name, axis in product(SAMPLERS, AXES):
        if record := newest.get(f"growth of {name} with {axis}"):
            for what, quantity in FITTED.items():
                rows = [dict(zip(record["columns"], row)) for row in record["rows"]]
                rows = sorted((row for row in rows if row["quantity"] == quantity), key=lambda row: row["at"])
                (first, *_, last), unit = rows, f"slope of ln {quantity} over ln {axis}"
                note = (f"{first['value']:.3g} at {first['at']:,}, {last['value']:.3g} at {last['at']:,}; Student's "
                        "interval of the fit over its points, one thread")
                made.append(claim(f"growth.{name}.{axis}.{what}", *(first[end] for end in ("exponent", "low", "high")),
                                  unit, len(rows), command, [record["key"]], note))
    return made
