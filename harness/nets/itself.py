"""A masked network that looks left, as its own verifier: for the self-speculative sampler from left to right (ours).

    Itself("heavy.safetensors").load("cpu")    # in Study(nets=...)

A verify pass is one more pass of all blocks over the drafts: place l reads what stands before it alone, so the pass
holds q^l = p(. | x before l), the law of one token a pass, at every place. Draft and target come from one joint, and
the sampler keeps the law of first-hitting sampling for every window and number of rounds. It is the hybrid of arXiv
2510.03929 with a causal part that is as deep as its trunk and shares all its weights, at the price of a whole pass.

An end of text that the network drafts itself is read as a mask by the drafts behind it, since it would tell the places
before it another distance; so the law is kept where texts end as their prompt says.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.nets import checkpoint
from harness.nets.transformer import Transformer, gather_rows


class VerifiesItself:
    """A Denoiser with draft and verify passes of the same blocks."""

    def __init__(self, trunk: Transformer):
        self.trunk, self.config, self.sha256, self.card = trunk, trunk.config, trunk.sha256, trunk.card
        self.vocab, self.mask = trunk.vocab, trunk.mask

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Any]:
        """Logits (B, W, V) as the network's, and x (B, L), which a verify pass reads."""
        return self.trunk.draft(x, at, alive, clock)[0], x

    def verify(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        """Logits (B, W, V) at ranks `at` (B, W) of `order` (B, L), given the tokens of y (B, L) before each. Raises
        ValueError for an order that leaves a place open on the left of one that was written; on a device it is not
        looked at, since the host would wait.
        """
        del alive
        places = order.gather(1, at.clamp_min(0))                                  # (B, W)
        if y.device.type == "cpu":
            rank = order.argsort(1)
            late = rank.cummax(1).values.gather(1, places) > rank.gather(1, places)    # (B, W) than one on its right
            given = hidden.gather(1, places) != self.mask
            if bool((late & (at >= 0) & ~given).any()):
                raise ValueError("a network that verifies itself writes from left to right: choose "
                                 "order=LeftToRight()")
        ended = (y == self.config.end) & (hidden == self.mask)
        return self.trunk.logits(gather_rows(self.trunk.hidden(torch.where(ended, self.mask, y)), places))

    def begin(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        """Zeros (B,): a pass runs the whole row."""
        return torch.zeros(len(y), dtype=torch.int64, device=y.device)

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        """Of a whole pass, whatever its kind."""
        return self.trunk.flops("draft", length, heads)

    def blocks(self, kind: str) -> int:
        """All of them, whatever the pass."""
        return self.trunk.blocks("draft")

    def to(self, device: str) -> "VerifiesItself":
        self.trunk.to(device)
        return self


@dataclass(frozen=True)
class Itself:
    """A masked network of ours whose blocks all look left, by the path of its file, with verify passes of its own
    blocks.
    """

    path: str

    def load(self, device: str) -> VerifiesItself:
        """The network on the device; calls with one path share it. Raises ValueError for a file that is absent or
        damaged, or of a network with a block that looks both ways.
        """
        return _loaded(str(self.path), checkpoint.written(self.path), device)


@lru_cache(maxsize=16)
def _loaded(path: str, written: int, device: str) -> VerifiesItself:
    net = checkpoint.load(Path(path))
    if type(net) is not Transformer or net.config.left < net.config.blocks:
        raise ValueError(f"{path} holds a network {net.name!r} that cannot verify itself: take one whose blocks all "
                         "look left, or Checkpoint(...) of a hybrid")
    return VerifiesItself(net).to(device)
