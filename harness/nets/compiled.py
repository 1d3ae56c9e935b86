"""A network whose blocks go through torch.compile: the same passes up to rounding, about 1.4 times as fast on two AVX2
cores (docs/decisions.md).
"""

from copy import deepcopy
from functools import lru_cache
from typing import Any

import torch

from harness.kinds import Denoiser
from harness.nets.transformer import Block


def compilable(net: Denoiser) -> bool:
    return hasattr(net, "modules") and any(isinstance(module, Block) for module in net.modules())


@lru_cache(maxsize=16)
def compiled(net: Denoiser) -> Denoiser:
    """A copy with each block compiled for every batch size at once; one copy a network serves all cells of a
    process.
    """
    copy: Any = deepcopy(net)    # `compilable`, so that it has modules
    for module in copy.modules():
        if isinstance(module, Block):
            module.compile(dynamic=True)
            for part in ("keys_values", "ask"):
                setattr(module, part, torch.compile(getattr(module, part), dynamic=True))
    return copy
