"""What the machine is, and how fast its matrix products and its memory are."""

import importlib.util
import platform
import shutil
import subprocess
from collections.abc import Iterator
from statistics import median
from typing import Any

import torch

from harness.records.machine import machine
from harness.run.clock import timed
from studies.gpu.plan import Ask

PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "safetensors", "msgspec", "optuna", "rdkit", "triton",
            "transformers", "pytest")
PRODUCTS = (("bfloat16", 8192), ("float32", 8192), ("float64", 4096))    # type, side of the matrices
REPEATS, COPIED = 10, 2**30    # bytes


def doctor(ask: Ask) -> Iterator[dict[str, Any]]:
    """Raises ValueError if the device is not there."""
    yield {"what": "software", "torch": torch.__version__, "cuda": torch.version.cuda, "python":
           platform.python_version(), "compiler": next(filter(None, map(shutil.which, ("g++", "clang++"))), None),
           "packages": {name: importlib.util.find_spec(name) is not None for name in PACKAGES}}
    if ask.kind == "cuda" and not torch.cuda.is_available():
        raise ValueError("torch sees no CUDA device: give --device cpu, or another image")
    yield {"what": "machine", **machine(ask.device)}
    torch.zeros(1, device=ask.device).item()
    if ask.kind == "cuda":
        about = torch.cuda.get_device_properties(ask.device)
        yield {"what": "device", "name": about.name, "memory_mib": about.total_memory // 2**20,
               "multiprocessors": about.multi_processor_count, "capability": f"{about.major}.{about.minor}",
               "driver": _asked("driver_version"), "clocks_mhz": _asked("clocks.sm,clocks.mem")}


def _asked(field: str) -> str | None:
    """What the driver's own program says; None where it is not there."""
    try:
        done = subprocess.run(["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader"], capture_output=True,
                              text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def ceiling(ask: Ask) -> Iterator[dict[str, Any]]:
    """FLOPs a second of products of square matrices, a multiply-add as 2; bytes a second, read and written, of a
    copy.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    for name, whole in PRODUCTS:
        side = ask.of(whole, 64)
        a = torch.randn(side, side, device=ask.device).to(getattr(torch, name))
        seconds = _times(lambda a=a: a @ a, ask)
        yield {"what": f"product.{name}", "side": side, "repeats": len(seconds), "tf32": False,
               "tflop_per_second": 2 * side**3 / min(seconds) / 1e12,
               "median_tflop_per_second": 2 * side**3 / median(seconds) / 1e12}
    source = torch.zeros(ask.of(COPIED, 2**16), dtype=torch.uint8, device=ask.device)
    to = torch.empty_like(source)
    seconds = _times(lambda: to.copy_(source), ask)
    yield {"what": "copy", "bytes": len(source), "gib_per_second": 2 * len(source) / min(seconds) / 2**30}


def _times(call, ask: Ask) -> list[float]:
    for _ in range(3):
        call()
    return [timed(call, ask.device)[0] for _ in range(REPEATS)]
