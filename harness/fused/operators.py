"""Operators that are one kernel on a CUDA device: what a round of sampling does between two passes of its network.

An operator has a path of torch's own operations, which says what it computes. That path runs on a CPU, and on any other
device for which there is no kernel; a kernel is tested against it (tests/fused). On CUDA the kernel of the same name in
harness/fused/kernels.py runs, where Triton can be imported and finds a C compiler.

    @fused("twice(Tensor x) -> Tensor")    # torch.ops.ssmd_bench.twice
    def twice(x):
        return x + x

Each takes a tensor first. On a CPU the path is called as it is, and the operator costs nothing.
"""

import os
import shutil
from collections.abc import Callable
from functools import lru_cache, wraps
from types import ModuleType
from typing import Any, TypeVar, cast

import torch

SPACE = "ssmd_bench"
LIBRARY = torch.library.Library(SPACE, "FRAGMENT")
OPERATORS: dict[str, Callable[..., Any]] = {}    # name -> its path
F = TypeVar("F", bound=Callable[..., Any])


@lru_cache
def kernels() -> ModuleType | None:
    """harness/fused/kernels.py, or None without Triton, or without the C compiler that Triton starts its kernels by."""
    if not (os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")):
        return None
    try:
        from harness.fused import kernels as module
    except ImportError:
        return None
    return module


def fused(schema: str) -> Callable[[F], F]:
    """Makes an operator of a path; `schema` as torch has it, with the path's arguments in their order."""
    name = schema.partition("(")[0]

    def of(path: F) -> F:
        def on_cuda(*args):
            module = kernels()
            return (path if module is None else getattr(module, name))(*args)

        if not hasattr(getattr(torch.ops, SPACE), name):    # a second copy of a module has the first one's operator
            LIBRARY.define(schema)
            LIBRARY.impl(name, path, "CompositeExplicitAutograd")
            LIBRARY.impl(name, on_cuda, "CUDA")
            OPERATORS[name] = path
        operator = getattr(getattr(torch.ops, SPACE), name)

        @wraps(path)
        def called(first, *others):
            return path(first, *others) if first.device.type == "cpu" else operator(first, *others)

        return cast(F, called)

    return of
