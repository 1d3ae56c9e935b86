"""Whether a stored state of training is one that the training at hand could have written: names, shapes, types, finite
numbers, a step of its own.

What is read from a file decides nothing before it has passed here: a state that does not fit would end hours later in
an error of the optimiser, or in a network of NaN.
"""

import re

import torch
from torch import Tensor

from ssmd.train.updates import Updates

PARTS = ("net", "average", "optimiser")
ADAMW, MUON = {"step", "exp_avg", "exp_avg_sq"}, {"momentum_buffer"}    # what each keeps of a parameter


def parted(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """net, average and optimiser, each by its own names."""
    return {head: {k.split(".", 1)[1]: v for k, v in tensors.items() if k.startswith(f"{head}.")} for head in PARTS}


def step_of(text: str | None, steps: int) -> int | None:
    """The number of updates made; None if the text is none that a training of so many steps can have."""
    found = int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else -1
    return found if 0 <= found <= steps else None


def fits(part: dict[str, dict[str, Tensor]], step: int, updates: Updates) -> bool:
    """Whether these tensors are those of this training after so many updates."""
    ours = {"net": updates.net.state_dict(), "average": updates.average.shadow}
    if not all(_alike(part[head], own) for head, own in ours.items()):
        return False
    return _optimised(part["optimiser"], updates) and bool(part["optimiser"]) == bool(step)


def _alike(found: dict[str, Tensor], own: dict[str, Tensor]) -> bool:
    return found.keys() == own.keys() and all(_is_like(found[k], own[k].shape, own[k].dtype) for k in own)


def _is_like(tensor: Tensor, shape: torch.Size, dtype: torch.dtype = torch.float32) -> bool:
    return tensor.dtype == dtype and tensor.shape == shape and bool(tensor.isfinite().all())


def _optimised(found: dict[str, Tensor], updates: Updates) -> bool:
    """NUMBER.PARAMETER.KEY, every key of each parameter that has one."""
    kept: dict[tuple[int, int], set[str]] = {}
    for name, tensor in found.items():
        words = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,9})\.([a-z_]+)", name)
        if not words or int(words[1]) >= len(updates.optimisers):
            return False
        params = [p for group in updates.optimisers[int(words[1])].param_groups for p in group["params"]]
        if int(words[2]) >= len(params) or not _is_like(tensor, torch.Size() if words[3] == "step"
                                                        else params[int(words[2])].shape):
            return False
        kept.setdefault((int(words[1]), int(words[2])), set()).add(words[3])
    return all(keys == (ADAMW if isinstance(updates.optimisers[k], torch.optim.AdamW) else MUON) for (k, _),
               keys in kept.items())
