"""A deeper network that begins as a shallower one computes: its blocks are spread over the new depth, and a new block
between them adds nothing at first (arXiv 1511.05641, for residual blocks). Where the first blocks look left alone, the
new ones come behind all others, and a left-to-right network is such a beginning too (as in arXiv 2410.17891).

Ours, for molecules: closing brackets and rings wants depth, and few updates are left to learn it from nothing.
"""

from pathlib import Path

from torch import Tensor

from harness.nets.autoregressive import Autoregressive
from harness.nets.transformer import Network, Transformer

PART, OF_LEFT, DISTANCE = "blocks_nc.", "blocks.", "distance.weight"
ADDS = ("out.weight", "down.weight")    # what a block adds to its input passes through these


def depth(weights: dict[str, Tensor]) -> int:
    return 1 + max((int(k.removeprefix(PART).split(".")[0]) for k in weights if k.startswith(PART)), default=-1)


def looking_left(start: Network, weights: dict[str, Tensor], net: Transformer, path: Path) -> dict[str, Tensor]:
    """The weights of the network in `path` by the names of `net`. Raises ValueError if its blocks look another way, or
    another token ends its texts. A distance to the end that it was not told has no effect at first.
    """
    whole, left = isinstance(start, Autoregressive), net.config.left
    looks = start.config.blocks if whole else start.config.left
    if looks > left or looks < left and not whole:
        raise ValueError(f"of the blocks of {path} {looks} look left, and of the network to be trained {left}: choose "
                         f"--set left={looks}, or another --init")
    if start.config.end not in (-1, net.config.end):
        raise ValueError(f"in {path} the token {start.config.end} ends a text, and in the network to be trained "
                         f"{net.config.end}: choose --set told={start.config.end >= 0}, or another --init")
    named = {PART + k.removeprefix(OF_LEFT) if whole and k.startswith(OF_LEFT) else k: v for k, v in weights.items()}
    return {k: v for k, v in net.state_dict().items() if k == DISTANCE} | named


def grown(weights: dict[str, Tensor], own: dict[str, Tensor], last: bool = False) -> dict[str, Tensor]:
    """Weights of a network as deep as `own`, by name, that computes what `weights` compute; block k of n goes to place
    floor(k N / n) of N, or keeps its place where new blocks come `last`. They are `weights` themselves unless `own` is
    deeper.
    """
    old, new = depth(weights), depth(own)
    if not 0 < old < new:
        return weights
    place = {f"{PART}{k}.": f"{PART}{k if last else k * new // old}." for k in range(old)}
    taken = {}
    for name, value in weights.items():
        head = PART + name.removeprefix(PART).split(".")[0] + "."
        taken[place[head] + name.removeprefix(head) if name.startswith(PART) else name] = value
    return {k: own[k].new_zeros(own[k].shape) if k.endswith(ADDS) else own[k]
            for k in own if k.startswith(PART) and k not in taken} | taken
