"""A causal block on the frozen trunk of somebody else's masked network: what self-speculation adds to a network that is
already there (arXiv 2510.03929 trains both; a frozen trunk is ours, docs/attach.md).

The trunk gives hidden states h of the masked text, a head, and an embedding of tokens (harness/nets/own.py). The block
reads along an order sigma, as that of ssmd/model.py:

    u       = W_in [N(h at sigma(k)) ; N(h at sigma(k+1)) ; N(embedding of y at sigma(k))]      (2 d + e) -> w
    c       = W_out (Blocks(u) - u)                                                             w -> d
    Q[k+1]  = Head(h at sigma(k+1) + c)

W_out is left out where w = d. Before training c = 0, so that Q = P to the bit, whatever the head. Rotary angles are of
the places of the harness, whatever positions the trunk has. The trunk's weights are none of the block's: a checkpoint
holds the block, and the hash of the trunk that it was trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from harness.nets import checkpoint
from harness.nets.flops import block_flops, causal_flops
from harness.nets.own import Made, Own
from harness.nets.transformer import Block, Rotary
from harness.spec import sha256
from ssmd.model import Hybrid, HybridConfig

ALIKE = 0.1


@dataclass(frozen=True)
class AttachedConfig(HybridConfig):
    """`width` and `heads` are those of the block, `blocks` those of the trunk."""

    stored: ClassVar[tuple[str, ...]] = ("causal",)

    states: int = 0      # d, width of the trunk's states
    tokens: int = 0      # e, width of its embedding
    trunk: str = ""      # its sha256
    blind: bool = False  # it reads no tokens: a control that can only correct the draft, and never speculate


class Attached(Hybrid):
    name = "attached"
    config_type = AttachedConfig
    config: AttachedConfig
    trunk: Own | None = None

    def __init__(self, config: AttachedConfig):
        nn.Module.__init__(self)
        c = self.config = config
        self.vocab = self.mask = c.vocab
        self.rotary = Rotary(c.width // c.heads, c.base)
        self.bos = nn.Parameter(nn.init.normal_(torch.empty(c.tokens), std=0.02))
        self.project = nn.Linear(2 * c.states + c.tokens, c.width, bias=False)
        nn.init.normal_(self.project.weight, std=(2 * c.states + c.tokens) ** -0.5)
        # one of the two begins at zero: if both did, neither would ever move
        same = c.width == c.states
        stack = nn.ModuleList(Block(c, zero_start=same) for _ in range(c.causal))
        self.blocks_c = cast(Sequence[Block], stack)
        self.last = nn.Identity() if same else nn.Linear(c.width, c.states, bias=False)
        if isinstance(self.last, nn.Linear):
            nn.init.zeros_(self.last.weight)

    def on(self, trunk: Own) -> "Attached":
        """The block with its trunk. Raises ValueError for another than that of its training."""
        if trunk.sha256 != self.config.trunk:
            raise ValueError(f"this block was trained on the trunk {self.config.trunk[:12]}, and this one is "
                             f"{trunk.sha256[:12]}: name the model, the revision and the ids of its training")
        self.trunk = trunk
        return self

    @property
    def draft_trains(self) -> bool:
        return False

    def _trunk(self) -> Own:
        if self.trunk is None:
            raise ValueError("this checkpoint is a block without its trunk: name both in a study, as "
                             "AttachedTo(\"block.safetensors\", Hub(\"my_model\"))")
        return self.trunk

    def hidden(self, x: Tensor) -> Tensor:
        """x (B, L) tokens -> the trunk's states (B, L, d)."""
        return self._trunk().states(x)

    def logits(self, h: Tensor) -> Tensor:
        return self._trunk().logits(h)                                             # (..., V)

    def embed(self, y: Tensor) -> Tensor:    # type: ignore[override]  # a table in its parent, a function here
        return self._trunk().embedded(torch.full_like(y, self.mask) if self.config.blind else y)    # (..., e)

    def added(self, c: Tensor) -> Tensor:
        return self.last(c)

    def alike(self, length: int) -> bool:
        """Whether a block of the trunk costs what one of ours does, within ALIKE, on rows of this length: else blocks
        cannot be counted (NFE by convention A).
        """
        trunk = self._trunk()
        of_trunk = trunk.flops("draft", length, 0) / trunk.blocks("draft")
        return abs(of_trunk / (length * block_flops(self.config.width, length)) - 1) < ALIKE

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        """Convention of harness/nets/flops.py; the trunk as it was counted while it ran."""
        trunk, c = self._trunk(), self.config
        if kind == "draft":
            return trunk.flops("draft", length, heads)
        of_head = trunk.flops("draft", length, 1) - trunk.flops("draft", length, 0)
        wider = 2 * (2 * c.states + c.tokens - 3 * c.width) * c.width * (tracks - begin)
        last = 0 if c.width == c.states else 2 * c.width * c.states * heads
        return causal_flops(c.width, c.causal, begin, tracks, heads) + wider + last + heads * of_head


@dataclass(frozen=True)
class AttachedTo:
    """The place of such a network in a study: the checkpoint of the block, and the trunk."""

    path: str
    trunk: Made

    def load(self, device: str) -> Attached:
        """The block on its trunk, on the device. Raises ValueError, in a sentence, for what is missing or does not fit.
        """
        return _attached(self, device)


@lru_cache(maxsize=8)
def _attached(source: AttachedTo, device: str) -> Attached:
    net: Any = checkpoint.load(Path(source.path).expanduser())
    if not isinstance(net, Attached):
        raise ValueError(f"{source.path} holds a network {net.name!r} with a trunk of its own: name it as "
                         "Checkpoint(...)")
    trunk = source.trunk.load(device)
    net.on(trunk).to(device)
    net.sha256 = sha256([net.sha256, trunk.sha256])
    net.card |= {"trunk": trunk.card}
    return net


def width_of(trunk: Own) -> tuple[int, int]:
    """Of its states and of its embedding. Raises ValueError if the trunk shows neither states nor head."""
    probe = torch.full((1, 2), trunk.mask, device=trunk.device)
    with torch.no_grad():
        return trunk.states(probe).shape[-1], trunk.embedded(probe).shape[-1]


def fresh(trunk: Own, width: int, heads: int, causal: int, seed: int, blind: bool = False) -> Attached:
    """An untrained block on a trunk; width 0 is that of the trunk's states. Raises ValueError as `width_of` does."""
    d, e = width_of(trunk)
    torch.manual_seed(seed)    # initial weights only
    return Attached(AttachedConfig(trunk.vocab, width or d, heads, trunk.blocks("draft"), causal=causal, states=d,
                                   tokens=e, trunk=trunk.sha256, blind=blind)).on(trunk)
