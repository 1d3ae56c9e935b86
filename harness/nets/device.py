"""Whether this machine has a device, and a compiler."""

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


def can_compile(wanted: bool) -> bool:
    """Whether to compile; raises ValueError if that is wanted and there is no C++ compiler, which torch.compile
    calls.
    """
    if wanted and not any(map(shutil.which, filter(None, (os.environ.get("CXX"), "g++", "clang++", "cl")))):
        raise ValueError("--compile needs a C++ compiler and this machine has none: install g++, or leave --compile "
                         "out")
    return wanted
