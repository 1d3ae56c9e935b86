"""Peak memory of a peer's loop, of ours, and of their bare passes (studies/peers/timing.py), each in fresh processes:
MiB above what the process held when the network had been called on one row.
"""

from pathlib import Path

import torch

from harness.run.clock import peak
from studies.peers.timing import LENGTH, PARTS, ROWS, STEPS, Sides, elsewhere

COLUMNS = ("peer", "process", "quantity", "mib")
PROCESSES = 5


def recorded(*given: object) -> tuple[list, list]:
    """The calls of the network of both loops. given: of Sides."""
    torch.set_num_threads(1)
    sides = Sides(*given)
    with torch.inference_mode():
        sides.record()
    return sides.passes.kept, sides.script.calls


def memory(part: str, calls: tuple[list, list], *given: object) -> float:
    """MiB at the worst moment of a part."""
    torch.set_num_threads(1)
    sides = Sides(*given)
    sides.passes.kept, sides.script.calls = calls
    with torch.inference_mode():
        sides.net.draft(torch.full((1, given[4]), sides.net.mask))
        before, _ = peak(lambda: None)
        return peak(sides.of[part])[0] - before


def found(name: str, folder: Path, net: str = "shipped", processes: int = PROCESSES, rows: int = ROWS,
          length: int = LENGTH, steps: int = STEPS) -> list[list]:
    """Rows of COLUMNS."""
    given = (name, str(folder), net, rows, length, steps)
    calls = elsewhere(recorded, *given)
    return [[name, process, part, elsewhere(memory, part, calls, *given)] for process in range(processes)
            for part in PARTS]
