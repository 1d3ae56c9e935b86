"""Throughput and waiting times of the queue under requests that arrive by a clock.

Claims serving.tokens_per_second.{b1, b8, b32}, serving.seconds_to_first_block.{b1, b8, b32}.{p50, p95}, the same of
seconds_to_finish, and serving.rows_alike.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch

from harness.boundary.heap import keep_freed
from harness.claims.claim import claim
from harness.records.machine import machine
from harness.records.measured import cached_table, column, newest
from harness.records.store import Store
from harness.run.clock import busy
from harness.schedules.order import Blocks
from harness.schedules.window import Linear
from harness.stats.intervals import time_ratio
from harness.study import Study
from ssmd.sampler import SelfSpeculative
from studies.serving.served import arrivals, serve
from studies.speed.claims import shipped

PROCESSES, LENGTH, BLOCK, LOAD = 5, 128, 16, 0.8    # LOAD: requests a second over those that can be served
REQUESTS = {1: 8, 8: 32, 32: 96}                    # by places: several times as many, so that places are refilled
SAMPLER = SelfSpeculative(Linear(0.0625), 10, Blocks(BLOCK))
NAME, COLUMNS = "serving", ("places", "process", "quantity", "value")
TIMES = {"first_block": "seconds_to_first_block", "finish": "seconds_to_finish"}
PERCENTILES = (50, 95)


def in_process(process: int) -> list[list]:
    """Both loads at every number of places: all requests at once, then as they come."""
    torch.set_num_threads(1)
    keep_freed()    # as every process of ssmd-bench does
    net, found = shipped("hybrid_frozen"), []
    for places, n in REQUESTS.items():
        prompts = torch.full((n, LENGTH), net.mask)
        serve(SAMPLER, net, prompts[:places], torch.zeros(places), places, BLOCK)    # untimed
        full = serve(SAMPLER, net, prompts, torch.zeros(n), places, BLOCK)
        seconds = full.finished.max().item()
        arrival = arrivals(n, LOAD * n / seconds)
        some = serve(SAMPLER, net, prompts, arrival, places, BLOCK)
        alike = (some.x == full.x).all(1).double().mean().item()
        rows = {"tokens_per_second": n * LENGTH / seconds, "most": full.most, "rows_alike": alike}
        for name, ends in (("first_block", some.first), ("finish", some.finished)):
            waited = (ends - arrival).numpy()                                      # (n,)
            rows |= {f"{name}.p{p}": float(np.percentile(waited, p)) for p in PERCENTILES}
        found += [[places, process, quantity, value] for quantity, value in rows.items()]
    return found


def _rows() -> list[list]:
    found = []
    for process in range(PROCESSES):
        found.append([0, process, "busy", busy()])
        with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
            found += fresh.submit(in_process, process).result()
    return found


def measure(study: Study, store: Store) -> list[dict]:
    """One table for the machine of the run, on its CPU."""
    cells = store.of("counted")[-1:]
    return [cached_table(store, study.name, NAME, COLUMNS, _rows, cells, machine=machine()["id"], processes=PROCESSES,
                         load=LOAD, block=BLOCK)]


def claims(store: Store, command: str) -> list[dict]:
    """serving.tokens_per_second.bN: of all requests at once through N places; serving.seconds_to_*.bN.pQ: from a
    request's arrival, at LOAD of that; serving.rows_alike: rows that are the same under both.
    """
    table = newest(store, NAME)
    if table is None:
        print("serving.*: no claim, nothing was timed; run the study without --only")
        return []
    others = max((x for x in column(table, "value", quantity="busy") if x is not None), default=None)
    taken = f"; others took up to {others:.0%} of the machine" if others is not None else ""
    made, keys, processes = [], [table["key"]], range(table["settings"]["processes"])

    def add(name: str, quantity: str, places: int, unit: str, about: str) -> None:
        found = [column(table, "value", places=places, quantity=quantity, process=k) for k in processes]
        v = time_ratio(found, [[1.0]] * len(found))
        made.append(claim(f"serving.{name}", v.value, v.low, v.high, unit, v.n, command, keys, about + taken))

    for places in dict.fromkeys(filter(None, column(table, "places"))):
        about = f"{REQUESTS[places]} requests of {LENGTH} tokens, {places} at a time"
        add(f"tokens_per_second.b{places}", "tokens_per_second", places, "tokens / second", f"{about}, all at once")
        for part, name in TIMES.items():
            for p in PERCENTILES:
                add(f"{name}.b{places}.p{p}", f"{part}.p{p}", places, "seconds",
                    f"{about}, at {LOAD:.0%} of the requests a second that can be served")
    alike = column(table, "value", quantity="rows_alike")
    made.append(claim("serving.rows_alike", float(np.mean(alike)), min(alike), max(alike), "share of rows", len(alike),
                      command, keys, "rows of requests that came by the clock equal to those of all at once; the "
                      "interval is their range"))
    return made
