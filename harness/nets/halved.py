"""A network whose matrices are cast to bfloat16 once, for passes under autocast, which would cast them in every pass.

The numbers are the same: autocast casts the weights of a matrix product as it casts its input. What autocast leaves in
float32 stays so: embeddings, norms, and every layer of a trunk that is not ours.
"""

from copy import deepcopy
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from harness.kinds import Denoiser

OURS = ("harness", "ssmd", "baselines")    # rooms whose modules use the weight of a Linear in products alone


def _ours(module: nn.Module) -> bool:
    return type(module).__module__.partition(".")[0] in OURS


def _matrices(net: nn.Module) -> dict[int, nn.Parameter]:
    """Weights in float32 of the Linear layers of our modules by their `id`, without those that others share."""
    linear = {id(layer) for module in net.modules() if _ours(module) for layer in module.children()
              if type(layer) is nn.Linear}
    shared = {id(p) for module in net.modules() if id(module) not in linear for p in module.parameters(recurse=False)}
    return {id(p): p for module in net.modules() if id(module) in linear for p in module.parameters(recurse=False)
            if id(p) not in shared and p.dtype == torch.float32}


@lru_cache(maxsize=16)
def halved(net: Denoiser) -> Denoiser:
    """A copy with its matrices in bfloat16, which shares all else; one copy a network serves all cells of a process.
    The network itself where it has none.
    """
    if not isinstance(net, nn.Module) or not (cast := _matrices(net)):
        return net
    memo: dict[int, Any] = {id(p): p for p in [*net.parameters(), *net.buffers()]}
    memo |= {id(module): module for module in net.modules() if not _ours(module) and type(module) is not nn.Linear
             and not any(map(_ours, module.modules()))}
    memo |= {id(value): value for name, value in vars(net).items() if not name.startswith("_")}
    memo |= {key: nn.Parameter(p.detach().bfloat16(), p.requires_grad) for key, p in cast.items()}
    return deepcopy(net, memo)
