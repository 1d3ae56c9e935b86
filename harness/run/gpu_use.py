"""What others make of a GPU, from what nvidia-smi says.

The utilisation that a GPU tells is of the last second at most, so after a run of ours it is our own. It counts here
once our own work is over and has left that window, and where no process but ours holds the device it is 0.
"""

import os
import re
import subprocess
import time
from collections.abc import Callable

import torch

WINDOW = 1.2    # seconds: longer than the time over which a driver averages
PATIENCE = 10.0    # seconds for an answer of nvidia-smi


def users(apps: str) -> set[int]:
    """Processes that hold a device, by the lines of `--query-compute-apps=pid`; none where it does not say."""
    return {int(line) for line in apps.split() if line.isascii() and line.isdigit()}


def share(apps: str, utilisation: str, ours: Callable[[int], bool]) -> float | None:
    """Of the device that others use, 0 to 1, by the lines of `--query-compute-apps=pid` and of
    `--query-gpu=utilization.gpu`. None where they do not tell. In a container the processes may be told by numbers of
    the host, or not at all: where none is ours the list says nothing, and the utilisation counts.
    """
    known = users(apps)
    if any(map(ours, known)) and all(map(ours, known)):
        return 0.0
    told = re.fullmatch(r"([0-9]{1,3})( %)?", utilisation.strip())
    return min(1.0, int(told[1]) / 100) if told else None


def used_by_others(device: str) -> float | None:
    """The share of a CUDA device that others use, 0 to 1; None where that cannot be known."""
    torch.cuda.synchronize(device)
    time.sleep(WINDOW)
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    which = uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"
    try:
        return share(_asked("compute-apps=pid", which), _asked("gpu=utilization.gpu", which), _ours)
    except (OSError, subprocess.SubprocessError):    # a time without this number is still a time
        return None


def _asked(query: str, which: str) -> str:
    words = ["nvidia-smi", f"--query-{query}", "--format=csv,noheader,nounits", "-i", which]
    return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def _ours(pid: int) -> bool:
    """Whether it is of the command that we belong to: this process, or one that it started."""
    try:
        return os.getpgid(pid) == os.getpgid(0)
    except OSError:
        return False
