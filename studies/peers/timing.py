"""Loops and their bare passes, a peer's and ours, in turns in one process of one thread. Seconds are the thread's own
(time.thread_time), so that other programs disturb them less. The network is `heavy`, which ships, or one of its shape
over 50,257 tokens, whose weights are random (studies/speed).

    loop, bare         the peer's loop for n rows; the calls of the network that it made, once more without it
    ours, ours_bare    the same of our sampler of the same kind, which calls the network only where it writes
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from harness.boundary.heap import keep_freed
from harness.run.clock import busy
from harness.sampling.loop import sample
from studies.analysis.script import Script
from studies.peers.peer import Passes, loaded
from studies.speed.claims import shipped, wide

COLUMNS = ("peer", "process", "repeat", "quantity", "value")
NETS = {"shipped": "", "large": ".v50258"}    # -> end of a claim's name
PARTS = ("loop", "bare", "ours", "ours_bare")
PROCESSES, REPEATS, ROWS, LENGTH, STEPS = 6, 5, 8, 128, 32


class Sides:
    """Both loops and their bare passes on the shipped network, by the names of PARTS."""

    def __init__(self, name: str, folder: str, net: str, rows: int, length: int, steps: int):
        peer, self.net = loaded(name, Path(folder)), (wide if net == "large" else shipped)("heavy")
        self.passes, self.script = Passes(peer.network(self.net)), Script(self.net)
        way, prompts = peer.timed(length, steps), torch.full((rows, length), self.net.mask)

        def loop() -> torch.Tensor:
            return peer.run(self.passes, self.net.mask, rows, length, way)

        def ours(net: Any = self.net) -> torch.Tensor:
            return sample(way.ours, {"main": net}, prompts, 0, rows)

        self.of: dict[str, Callable[[], Any]] = {"loop": loop, "bare": self.passes.play, "ours": ours,
                                                 "ours_bare": self.script.play}

    def record(self) -> None:
        """Makes both loops once and keeps their calls."""
        torch.manual_seed(0)
        self.passes.keeps = True
        self.of["loop"]()
        self.passes.keeps = False
        self.of["ours"](self.script)


def in_process(repeats: int, *given: Any) -> list[list]:
    """[repeat, quantity, value]: seconds, in turns. given: of Sides."""
    torch.set_num_threads(1)
    keep_freed()    # as every process of ssmd-bench does
    sides, found = Sides(*given), [[0, "busy", busy()]]
    with torch.inference_mode():
        sides.record()
        sides.passes.play()
        sides.script.play()
        for k in range(repeats):
            for part in PARTS:
                torch.manual_seed(0)    # the rows of the untimed run
                begun = time.thread_time()
                sides.of[part]()
                found.append([k, part, time.thread_time() - begun])
    return found


def elsewhere(call: Callable, *given: Any) -> Any:
    """In a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        return fresh.submit(call, *given).result()


def found(name: str, folder: Path, net: str = "shipped", processes: int = PROCESSES, repeats: int = REPEATS,
          rows: int = ROWS, length: int = LENGTH, steps: int = STEPS) -> list[list]:
    """Rows of COLUMNS."""
    given = (name, str(folder), net, rows, length, steps)
    return [[name, process, *row] for process in range(processes) for row in elsewhere(in_process, repeats, *given)]
