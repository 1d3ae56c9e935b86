
"""One tree in a process of its own: loads a study, samples cells when asked, says what came out or what that took.

The text of this file runs in both trees, whatever their age, by `python -P` with the tree first on the path: of the
tree it needs load_study, chosen, sample and Ledger alone, which it imports by name, since they are the tree's and none
that stand beside this file.

Requests and answers are JSON, a line each, on the process's stdin and stdout; what the study prints goes to stderr.
Seconds; the CPU's are of all threads of this process. When stdin ends, so does the process.
"""

import ctypes
import dataclasses
import gc
import hashlib
import importlib
import json
import os
import platform
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = {"x86_64": 298, "aarch64": 241}    # perf_event_open
HARDWARE, INSTRUCTIONS, SOFTWARE, TASK_CLOCK = 0, 1, 1, 1
INHERIT, NO_KERNEL, NO_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6


def counter(kind: int = HARDWARE, event: int = INSTRUCTIONS) -> int | None:
    """A file that counts this process's events (Linux), those of threads to come included; None where the machine does
    not count them."""
    attributes = bytearray(120)
    struct.pack_into("IIQ", attributes, 0, kind, len(attributes), event)
    struct.pack_into("Q", attributes, 40, INHERIT | NO_KERNEL | NO_HYPERVISOR)
    number = CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or number is None:
        return None
    text = (ctypes.c_char * len(attributes)).from_buffer(attributes)
    file = ctypes.CDLL(None).syscall(number, text, 0, -1, -1, 0)
    return file if file >= 0 else None


def counted(file: int) -> int:
    return struct.unpack("Q", os.read(file, 8))[0]


def module(name: str) -> Any:
    """Of this tree, by the name that it has in ours; in an older tree it stood in harness itself."""
    try:
        return importlib.import_module(f"harness.{name}")
    except ModuleNotFoundError:
        return importlib.import_module(f"harness.{name.rpartition('.')[2]}")


class Side:
    """The study of this tree; cells are called by their label, arm: sampler(settings)."""

    def __init__(self, study: str, only: list[str], plugins: list[str], rows: int | None, device: str):
        plug_ins, spec, self.studies, self.loop, self.ledger = (
            module(name) for name in ("plugins", "spec", "study", "sampling.loop", "sampling.ledger")
        )
        for package in plugins:
            plug_ins.add_package(package)
        self.study = self.studies.chosen(self.studies.load_study(study), only)
        self.rows = min(self.study.n, rows or (self.study.timing.rows if self.study.timing else 16))
        # the first of an older tree
        every = (
            self.study.cells(device)
            if hasattr(self.study, "cells")
            else module("run.cell").cells_of(self.study, device)
        )
        cells = [cell for cell in every if not cell.is_control and not cell.missing()]
        self.cells = {f"{cell.arm.name}: {spec.brief(spec.to_json(cell.sampler))}": cell for cell in cells}
        self.file = counter()

    def about(self) -> dict:
        def source(cell: Any) -> str:
            return str(getattr(sys.modules[type(cell.sampler).__module__], "__file__", ""))

        def made(cell: Any) -> dict | None:
            try:
                about = module("records.provenance").made(cell.own())
            except (ImportError, AttributeError):    # of a tree from before records named their sources
                return None
            return {name: about[name] for name in ("tree", "modules") if name in about}

        return {
            "study": self.study.name,
            "rows": self.rows,
            "harness": str(Path(str(self.studies.__file__)).parent),
            "instructions": self.file is not None,
            "cells": {
                label: {"arm": cell.arm.name, "made": made(cell), "source": source(cell)}
                for label, cell in self.cells.items()
            },
        }

    def nets(self, cell: Any) -> Any:
        """An older tree has another name for it."""
        return (getattr(cell, "wrapped_networks", None) or cell.heated)()

    def sampled(self, cell: Any, ledger: Any = None) -> Any:
        x = self.loop.sample(
            cell.sampler,
            self.nets(cell),
            cell.prompts()[: self.rows],
            self.study.seed,
            min(self.rows, self.study.batch),
            ledger=ledger,
        )
        return x.cpu()    # which waits for the device

    def warm(self, cell: str) -> dict:
        """Once with a meter and once without: counts, samples, and about how long the cell takes."""
        data, own = self.study.data, self.cells[cell]
        ledger = self.ledger.Ledger(self.rows, data.length, data.mask)
        x = self.sampled(own, ledger)
        sha = hashlib.sha256(repr(x.tolist()).encode()).hexdigest()
        calls = {name: float(table.sum()) / self.rows for name, table in sorted(ledger.calls.items())}
        return {"samples": sha, "calls": calls, **self.timed(cell, 1)}

    def drawn(self, cell: str, ids: list[int], n: int, seed: int) -> dict:
        """What these rows of a cell are: of each its tokens, hashed, and all that its meter shows."""
        import torch

        study = dataclasses.replace(self.study, n=n, seed=seed)
        own = dataclasses.replace(self.cells[cell], study=study)
        ledger = self.ledger.Ledger(len(ids), study.data.length, study.data.mask)
        prompts, rows = own.prompts()[ids], torch.tensor(ids)
        x = self.loop.sample(own.sampler, self.nets(own), prompts, seed, len(ids), ids=rows, ledger=ledger).cpu()
        shown = {"calls": ledger.calls, "meter": {name: getattr(ledger, name)
                                                  for name in ("blocks", "drafts", "flops")}}
        return {"key": own.key(), "tokens": [hashlib.sha256(repr(row).encode()).hexdigest() for row in x.tolist()],
                **{part: {name: table.tolist() for name, table in sorted(tables.items())} for part,
                   tables in shown.items()}}

    def timed(self, cell: str, repeats: int) -> dict:
        own = self.cells[cell]
        events = counted(self.file) if self.file is not None else 0
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(repeats):
            self.sampled(own)
        found = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        return found | ({"instructions": float(counted(self.file) - events)} if self.file is not None else {})

    def spent(self) -> dict:
        return {"cpu": time.process_time()}


def answer(side: Side | None, request: dict) -> tuple[Side | None, dict]:
    verb, settings = request["do"], {name: value for name, value in request.items() if name != "do"}
    try:
        if side is None:
            import torch

            torch.set_num_threads(1)
            side = Side(**settings)
            found = side.about()
            gc.collect()
            gc.freeze()
            return side, found
        verbs: dict[str, Callable[..., dict]] = {"warm": side.warm, "timed": side.timed, "spent": side.spent,
                                                 "drawn": side.drawn}
        return side, verbs[verb](**settings)
    except (Exception, SystemExit) as error:    # any error of the tree becomes one sentence
        return side, {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}


def main() -> None:
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    side = None
    for line in sys.stdin:
        side, found = answer(side, json.loads(line))
        print(json.dumps(found), file=replies, flush=True)


if __name__ == "__main__":
    main()
