"""The device put in place, for as long as a test lasts, and networks moved to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from harness.nets.tabular import Tabular
from tests.pretend.away import COUNTING, DEVICE, Away, on_device, operate
from tests.pretend.tally import Tally


class Module:
    """What torch asks of a kind of device: torch.pretend."""

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]    # and no operation of the device takes part: products stay in float32

    def _is_in_bad_fork(self) -> bool:
        return False


_setup_privateuseone_for_python_backend(DEVICE, Module())    # the name, once a process
AUTOCAST = torch.library.Library("_", "IMPL", "AutocastPrivateUse1")    # leaves every operation as it is
AUTOCAST.fallback(torch.library.fallthrough_kernel)


class Operations(TorchDispatchMode):
    """Operations without a tensor of the device, which may make one."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return operate(func, args, kwargs or {})


class Literals(TorchFunctionMode):
    """torch.tensor(numbers, device=...): the one way to a device that passes no operation, a copy from the host."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func not in (torch.tensor, torch.as_tensor) or not on_device(kwargs.get("device")):
            return func(*args, **kwargs)
        found = func(*args, **kwargs | {"device": None if isinstance(args[0], Away) else "cpu"})
        if isinstance(found, Away):
            return found
        COUNTING[-1].wait()
        return Away(found)


@contextmanager
def pretended() -> Iterator[Tally]:
    """What happens on the device is counted in a Tally of its own."""
    COUNTING.append(Tally())
    try:
        with Literals(), Operations():
            yield COUNTING[-1]
    finally:
        COUNTING.pop()


def moved(net: Any) -> Any:
    """A copy of a network that lives on the device; within `pretended`."""
    if isinstance(net, Tabular):
        return Tabular(net.law.to(DEVICE), net.vocab, net.length, net.cost)
    assert isinstance(net, nn.Module)
    return deepcopy(net).to(DEVICE)
