"""Tokens a second, share of the ceiling and waits of two samplers on one device, at batch 1 and at the batch that
saturates it.

Claims device.seconds_ratio.{b1, saturated}, device.{ancestral, ssmd}.{b1, saturated}.{tokens_per_second, ceiling_share}
and, on CUDA, .{kernels_a_pass, waiting_share, host_waits}.
"""

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.claims.claim import claim
from harness.kinds import Denoiser
from harness.nets.compiled import compiled
from harness.nets.device import current
from harness.nets.halved import halved
from harness.nets.wrap import Half
from harness.records.machine import machine
from harness.records.measured import cached_table, column, newest
from harness.records.store import Store
from harness.run.clock import busy, timed
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.stats.intervals import time_ratio
from harness.study import Study
from studies.analysis.script import Script
from studies.speed.claims import Run, matched

ARMS = ("ancestral", "ssmd")
PROCESSES, REPEATS, SIDE, LARGEST = 5, 3, {"cpu": 1024, "cuda": 8192}, {"cpu": 256, "cuda": 8192}
NAME, COLUMNS = "speed of a device", ("arm", "batch", "load", "process", "repeat", "quantity", "value")
UNITS = {"tokens_per_second": "tokens / second", "ceiling_share": "share of a matrix product's FLOPs",
         "kernels_a_pass": "kernels / pass",
         "waiting_share": "share of the time without a kernel", "host_waits": "waits of the host / draft pass"}


class Way(NamedTuple):
    """How the networks are run."""

    device: str
    dtype: str
    compiled: bool

    @property
    def kind(self) -> str:
        return self.device.split(":")[0]

    def net(self, run: Run) -> Denoiser:
        net = run.net.to(self.device)
        net = halved(net) if self.dtype == "bfloat16" else net
        net = compiled(net) if self.compiled else net
        return Half(net) if self.dtype == "bfloat16" else net


def ceiling(way: Way) -> float:
    """FLOPs a second of the product of two square matrices, the best of five."""
    side, dtype = SIDE[way.kind], getattr(torch, way.dtype)
    a = torch.randn(side, side, device=way.device).to(dtype)
    a @ a
    return 2 * side**3 / min(timed(lambda: a @ a, way.device)[0] for _ in range(5))


def runner(run: Run, net: Denoiser, way: Way, batch: int, ledger: Ledger | None = None) -> Callable[[], Tensor]:
    """Two batches of rows, at least four rows."""
    prompts = torch.full((max(4, 2 * batch), run.length), net.mask, device=way.device)
    return lambda: sample(run.sampler, {"main": net}, prompts, 0, batch, ledger=ledger)


def saturating(way: Way) -> int:
    """The smallest power of two beyond which a doubled batch of ancestral sampling writes less than a twentieth more
    tokens a second.
    """
    run, speeds = matched()[0], [0.0]
    net = way.net(run)
    for batch in (2**k for k in range(LARGEST[way.kind].bit_length())):
        go = runner(run, net, way, batch)
        go()
        seconds, x = timed(go, way.device)
        speeds.append(x.numel() / seconds)
        if speeds[-1] < 1.05 * speeds[-2]:
            return batch // 2
    return batch


def in_process(way: Way, loads: dict[str, int]) -> list[list]:
    """[arm, batch, load, repeat, quantity, value], each sampler once untimed, then in turns."""
    top, runs, found = ceiling(way), dict(zip(ARMS, matched())), []
    nets = {arm: way.net(run) for arm, run in runs.items()}
    for load, batch in loads.items():
        goes, flops = {}, {}
        for arm, run in runs.items():
            goes[arm], ledger = runner(run, nets[arm], way, batch), Ledger(max(4, 2 * batch), run.length,
                                                                           nets[arm].mask)
            runner(run, nets[arm], way, batch, ledger)()    # metered and untimed
            flops[arm] = ledger.executed_flops
            found += [[arm, batch, load, 0, quantity, value] for quantity, value in waits(run, nets[arm], way, batch)]
        for k in range(REPEATS):
            for arm, go in goes.items():
                seconds, x = timed(go, way.device)
                found += [[arm, batch, load, k, "tokens_per_second", x.numel() / seconds],
                          [arm, batch, load, k, "ceiling_share", flops[arm] / seconds / top]]
    return found


def waits(run: Run, net: Denoiser, way: Way, batch: int) -> Iterator[tuple[str, float]]:
    """What only CUDA tells."""
    if way.kind != "cuda":
        return
    script, go = Script(net), runner(run, net, way, batch)
    runner(run, script, way, batch)()
    kinds = [kind for kind, _ in script.calls]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        go()
        torch.cuda.set_sync_debug_mode("default")
    yield "host_waits", sum("synchroniz" in str(w.message) for w in said) / kinds.count("draft")
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as seen:
        seconds, _ = timed(go, way.device)
    kernels = [e for e in seen.events() if e.device_type == torch.autograd.DeviceType.CUDA]
    yield "kernels_a_pass", len(kernels) / len(kinds)
    yield "waiting_share", max(0.0, 1 - sum(e.device_time_total for e in kernels) / 1e6 / seconds)


def elsewhere(call: Callable, *given) -> Any:
    """In a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        return fresh.submit(call, *given).result()


def measure(study: Study, store: Store) -> list[dict]:
    """One table for the device, precision and compilation of the run."""
    cells = store.of("counted")[-1:]
    way = Way(current(cells[0]["cell"]["device"]), study.dtype, study.compiled)

    def compute() -> list[list]:
        loads, found = {"b1": 1, "saturated": elsewhere(saturating, way)}, []
        for process in range(PROCESSES):
            found.append(["", 0, "", process, 0, "busy", busy(way.device)])
            found += [[*row[:3], process, *row[3:]] for row in elsewhere(in_process, way, loads)]
        return found

    return [cached_table(store, study.name, NAME, COLUMNS, compute, cells,
                         **way._asdict() | {"device": way.kind}, machine=machine(way.device)["id"],
                         processes=PROCESSES, repeats=REPEATS)]


def claims(store: Store, command: str) -> list[dict]:
    """device.seconds_ratio.{b1, saturated}: seconds of ancestral over seconds of ssmd for the same rows.
    device.ARM.LOAD.QUANTITY: what one reached.
    """
    table = newest(store, NAME)
    if table is None:
        print("device.*: no claim, nothing was timed; run the study without --only")
        return []

    def each(arm: str, load: str, quantity: str) -> list[list[float]]:
        return [column(table, "value", arm=arm, load=load, quantity=quantity, process=k)
                for k in range(table["settings"]["processes"])]

    others = max((x for x in column(table, "value", quantity="busy") if x is not None), default=None)
    way, made = Way(*(table["settings"][field] for field in Way._fields)), []
    about = f"{way.device}, {way.dtype}{', compiled' if way.compiled else ''}" + (f", others took up to {others:.0%} "
                                                                                  "of it" if others is not None else "")
    for load in dict.fromkeys(filter(None, column(table, "load"))):
        note = f"batch {column(table, 'batch', load=load)[0]}; {about}"
        sides = [each(arm, load, "tokens_per_second") for arm in reversed(ARMS)]
        v = time_ratio(*sides)    # of speeds, turned round: of seconds
        made.append(claim(f"device.seconds_ratio.{load}", v.value, v.low, v.high, "seconds / seconds", v.n, command,
                          [table["key"]], note))
        for arm, (quantity, unit) in product(ARMS, UNITS.items()):
            found = each(arm, load, quantity)
            if all(found) and min(map(min, found)) > 0:
                v = time_ratio(found, [[1.0]] * len(found))
                made.append(claim(f"device.{arm}.{load}.{quantity}", v.value, v.low, v.high, unit, v.n, command,
                                  [table["key"]], note))
    return made
