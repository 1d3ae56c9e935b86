"""What ran where: commit, packages, processor and what it can do, device, threads. Two machines are comparable if all
but the commit agrees: processors of one name may have wider instructions or not, and then round otherwise.
"""

import os
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

import torch

from harness.records.sources import git
from harness.spec import sha256

PACKAGES = ("torch", "numpy", "pandas", "matplotlib", "optuna", "safetensors")


def _packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")),
                        platform.processor())
    except OSError:
        return platform.processor()


def _instructions() -> str:
    """The widest that torch takes, and whether bfloat16 products are native."""
    native = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return f"{torch.backends.cpu.get_cpu_capability()}{', bfloat16' if native else ''}"


@lru_cache
def machine(device: str = "cpu") -> dict:
    """The fingerprint, with an `id` of everything that timings depend on."""
    diff = git("diff", "HEAD")
    gpu = torch.cuda.get_device_name(device) if device.startswith("cuda") else None
    hardware = {"cpu": _cpu(), "instructions": _instructions(), "cores": os.cpu_count(), "gpu": gpu,
                "threads": torch.get_num_threads(),
                "os": platform.system(), "python": platform.python_version(), "packages": _packages(),
                "deterministic": torch.are_deterministic_algorithms_enabled()}
    commit = {"commit": (git("rev-parse", "HEAD") or "unknown").strip(), "dirty": bool(diff),
              "diff_sha": sha256(diff)[:12] if diff else None}
    return {"id": sha256(hardware)[:12], **commit, **hardware}


def comparable(a: dict, b: dict) -> bool:
    """Whether times measured on a and b may be compared."""
    return a["id"] == b["id"]
