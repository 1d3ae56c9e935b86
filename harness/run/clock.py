"""Seconds of a call with the device's barrier inside, peak memory of a call, and whether others are using the device.

    seconds, x = timed(lambda: net.draft(x), "cuda")
"""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from harness.run.gpu_use import used_by_others

MIB = 2**20


def barrier(device: str) -> None:
    """Wait until the device has done all it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()


def timed(call: Callable[[], Any], device: str = "cpu") -> tuple[float, Any]:
    """(seconds, what the call returned)."""
    barrier(device)
    begun = time.perf_counter()
    answer = call()
    barrier(device)
    return time.perf_counter() - begun, answer


def peak(call: Callable[[], Any], device: str = "cpu") -> tuple[float, Any]:
    """(MiB in use at the worst moment of the call, what it returned). On a CPU that of the whole process, weights and
    libraries included.
    """
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
        answer = call()
        return torch.cuda.max_memory_allocated(device) / MIB, answer
    try:
        Path("/proc/self/clear_refs").write_text("5")    # Linux: start the high-water mark of resident memory afresh
    except OSError:
        pass
    answer = call()
    return _resident_mib(), answer


def _resident_mib() -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else MIB)


def busy(device: str = "cpu", seconds: float = 0.25) -> float | None:
    """The share of the device that others use while this process waits, 0 to 1; None where it cannot be known. Of a
    CPU that of the next `seconds`, of a GPU that of about the last one, our own work left out (gpu_use.py).
    """
    if device.startswith("cuda"):
        return used_by_others(device)
    try:
        idle, total = ticks()
        time.sleep(seconds)
        idle_then, total_then = ticks()
    except OSError:
        return None
    return 1 - (idle_then - idle) / max(1, total_then - total)


def ticks() -> tuple[int, int]:
    # user nice system idle iowait irq softirq steal
    fields = [int(x) for x in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return fields[3] + fields[4], sum(fields)
