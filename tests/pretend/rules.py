"""What CUDA asks of an operation, by the name of the operation: torch's own, without its overload."""

import torch
from torch import Tensor

# the host must know a number, or the size of the answer
ASKING = {"_local_scalar_dense", "item", "is_nonzero", "equal", "allclose", "nonzero", "nonzero_numpy", "argwhere",
          "masked_select", "_unique", "_unique2", "unique_dim", "unique_consecutive", "bincount"}
CROSSING = {"copy_", "_to_copy", "to", "_copy_from"}
INDEXING = {"index", "_unsafe_index"}
INDEX_WRITING = {"index_put", "index_put_", "_index_put_impl_"}
LOOKING = {"_has_compatible_shallow_copy_type", "is_same_size", "result_type", "can_cast"}    # at no number
NO_KERNEL = LOOKING | {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_local_scalar_dense",
                       "item"}


def asks(name: str, args: tuple) -> bool:
    """Whether the host waits for the answer of an operation whose tensors all live on the device."""
    if name in ASKING:
        return True
    if name == "repeat_interleave":    # by a tensor of counts, whose sum is the size
        return len(args) == 1 or isinstance(args[1], Tensor)
    if name == "where":
        return len(args) == 1
    if name in INDEXING | INDEX_WRITING:
        masks = [i for i in args[1] if i is not None and i.dtype in (torch.bool, torch.uint8)]
        filling = name in INDEX_WRITING and len(args[1]) == 1 and args[2].numel() == 1    # which is a masked fill
        return bool(masks) and not filling
    return False


def mixed(name: str, args: tuple, here: list[Tensor], plain: list[Tensor], away: type) -> str:
    """Why CUDA would refuse this operation on tensors `here` on the device and `plain` ones of the CPU; or nothing."""
    if not here or name in CROSSING | LOOKING:
        return ""
    if name in INDEXING | INDEX_WRITING:    # indices of the CPU are copied over
        if not isinstance(args[0], away):
            return "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
        plain = [t for t in args[2:3] if isinstance(t, Tensor) and not isinstance(t, away)]
    elif name.endswith("_") and plain and not isinstance(args[0], away):
        return "a tensor of the cpu cannot be written by one of pretend:0"
    return ("expected all tensors to be on the same device, but found at least two devices, pretend:0 and cpu"
            if any(t.dim() for t in plain) else "")
