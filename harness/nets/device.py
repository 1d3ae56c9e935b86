"""Whether this machine has a device, and a compiler; which device a process is at work on."""

import os
import shutil

import torch


def checked(device: str) -> str:
    """The device, if this machine has it and it can draw; raises ValueError otherwise."""
    if device.partition(":")[0] == "mps":
        raise ValueError("mps has no float64, in which every draw is made: choose cpu")
    try:
        torch.zeros(1, device=device).item()    # "meta" makes tensors that hold nothing
    except Exception:    # torch raises by turns RuntimeError, AssertionError, NotImplementedError
        raise ValueError(f"this machine has no device {device!r}: choose cpu"
                         + (" or cuda" if torch.cuda.is_available() else "")) from None
    return device


def entered(device: str) -> str:
    """The device of a command, made the current one of this process: what says `cuda` alone then means it, and nothing
    opens a context on another. Raises ValueError as `checked` does.
    """
    if device.startswith("cuda:"):
        try:
            torch.cuda.set_device(device)
        except Exception:    # the sentence is that of `checked`
            pass
    return checked(device)


def of_rank(device: str) -> str:
    """Under torchrun `cuda` is the device of this process, `cuda:LOCAL_RANK`."""
    if device != "cuda" or int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return device
    return f"cuda:{os.environ.get('LOCAL_RANK', 0)}"


def current(kind: str) -> str:
    """A kind of device as the one that this process is at work on: `cuda` as `cuda:1` where that was entered."""
    return f"cuda:{torch.cuda.current_device()}" if kind == "cuda" else kind


def can_compile(wanted: bool) -> bool:
    """Whether to compile; raises ValueError if that is wanted and there is no C++ compiler, which torch.compile
    calls.
    """
    if wanted and not any(map(shutil.which, filter(None, (os.environ.get("CXX"), "g++", "clang++", "cl")))):
        raise ValueError("--compile needs a C++ compiler and this machine has none: install g++, or leave --compile "
                         "out")
    return wanted
