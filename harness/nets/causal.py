"""A left-to-right transformer as a denoiser: the autoregressive arm, and both sides of classical speculative decoding.

    Causal("ar.safetensors").load("cpu")    # in Study(nets=...)

A draft pass at place l reads what stands before it alone, so it is of use from left to right: by
`FirstHitting(order=LeftToRight())`, one token a pass, and by `Speculative`. One pass over a filled text gives the law
at every place (`one_pass_chain`).

Passes are billed as with kept keys and values: `span` says which tokens a pass would run, those from the first place
asked for to the last. They are not kept here: each pass runs the whole row, what it executed is counted as that, and
the record says `priced`. Seconds are therefore of whole passes. A given beginning is free in these bills, as prefill.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.flops import block_flops, head_flops
from harness.nets.transformer import gather_rows


class LeftToRight:
    """A Denoiser of draft passes alone."""

    one_pass_chain = True

    def __init__(self, trunk: Autoregressive, sha256: str = ""):
        self.trunk, self.config, self.sha256 = trunk, trunk.config, sha256 or getattr(trunk, "sha256", "")
        self.card = getattr(trunk, "card", {})
        self.vocab, self.mask = trunk.vocab, trunk.vocab    # the id of its BOS: no place that is asked for reads it

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Any]:
        """x (B, L), at (B, W) -> logits (B, W, V) of the token at each place given those before it."""
        del alive, clock
        stop = x.shape[1] if at is None else int(at.max()) + 1
        logits = self.trunk(x[:, :stop])                                           # (B, stop, V)
        return (logits if at is None else gather_rows(logits, at.clamp_min(0))), x

    def verify(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        raise NotImplementedError("a left-to-right network has no verify pass: it verifies by draft passes")

    def begin(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        return torch.zeros(len(y), dtype=torch.int64, device=y.device)

    def span(self, at: Tensor) -> tuple[Tensor, Tensor]:
        """at (B, W) -> tokens that a pass would see, and the first of them that was not kept, (B,) each."""
        return at.amax(1) + 1, torch.where(at < 0, at.amax(1, keepdim=True), at).amin(1)

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        """Of tokens begin..tracks-1, each seeing itself and those before it; of all where none are named."""
        c = self.config
        tracks = tracks + (tracks == 0) * length
        pairs = (tracks * (tracks + 1) - begin * (begin + 1)) // 2
        return c.blocks * ((tracks - begin) * block_flops(c.width, 0) + 4 * c.width * pairs) + heads * head_flops(
            c.width, c.vocab)

    def blocks(self, kind: str) -> int:
        return self.config.blocks if kind == "draft" else 0

    def to(self, device: str) -> "LeftToRight":
        self.trunk.to(device)
        return self


@dataclass(frozen=True)
class Causal:
    """An autoregressive network of ours by the path of its file. Raises ValueError for another kind of network."""

    path: str

    def load(self, device: str) -> LeftToRight:
        """The network on the device; calls with one path share it. Raises ValueError for a file that is absent or
        damaged, or of a network that looks both ways.
        """
        return _loaded(str(self.path), checkpoint.written(self.path), device)


@lru_cache(maxsize=4)
def _loaded(path: str, written: int, device: str) -> LeftToRight:
    net = checkpoint.load(Path(path))
    if not isinstance(net, Autoregressive):
        raise ValueError(f"{path} holds a network {net.name!r}, which looks both ways: take Checkpoint(...), or a "
                         "judge")
    return LeftToRight(net).to(device)
