"""A deeper network that begins as a shallower one computes: its blocks are spread over the new depth, and a new block
between them adds nothing at first (arXiv 1511.05641, for residual blocks).

Ours, for molecules: closing brackets and rings wants depth, and few updates are left to learn it from nothing.
"""

from torch import Tensor

PART = "blocks_nc."
ADDS = ("out.weight", "down.weight")    # what a block adds to its input passes through these


def depth(weights: dict[str, Tensor]) -> int:
    return 1 + max((int(k.removeprefix(PART).split(".")[0]) for k in weights if k.startswith(PART)), default=-1)


def grown(weights: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a network as deep as `own`, by name, that computes what `weights` compute; block k of n goes to place
    floor(k N / n) of N. They are `weights` themselves unless `own` is deeper.
    """
    old, new = depth(weights), depth(own)
    if not 0 < old < new:
        return weights
    place = {f"{PART}{k}.": f"{PART}{k * new // old}." for k in range(old)}
    taken = {}
    for name, value in weights.items():
        head = PART + name.removeprefix(PART).split(".")[0] + "."
        taken[place[head] + name.removeprefix(head) if name.startswith(PART) else name] = value
    return {k: own[k].new_zeros(own[k].shape) if k.endswith(ADDS) else own[k]
            for k in own if k.startswith(PART) and k not in taken} | taken
