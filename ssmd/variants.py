"""Hybrids wired otherwise, for ablations: which hidden states a track of the causal part reads, how that part adds to
the draft, and where its positions enter.

inputs         "both" (ssmd/model.py) | "current", of the place whose token the track carries | "next", of the place to
               be predicted | "none": token and positions alone. The first is reported for arXiv 2510.03929; whether it
               is needed beside the output residual is a question of its reviewers.
contribution   "added", c = Blocks(u) - u (ssmd/model.py) | "projected", c = W_out N(Block(u)) with W_out = 0 at the
               start | "gated", c = g * Block(u) with a vector g = 0 at the start. All three begin as the draft; ours,
               the paper does not say.
positions      "split", queries turned by the place to be predicted and keys by that of the token carried
               (ssmd/model.py) | "halves", half of the channel pairs of queries and keys alike turned by the place
               carried, half by the place to be predicted, as is reported for arXiv 2510.03929 | "learned", nothing
               turned; an embedding of either place is added to the track's input. Kept keys and values are not used for
               the last two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nets.transformer import Block, TransformerConfig, gather_rows
from ssmd.model import Hybrid, HybridConfig, Kept

INPUTS, CONTRIBUTIONS, POSITIONS = ("both", "current", "next",
                                    "none"), ("added", "projected", "gated"), ("split", "halves", "learned")
LONGEST = 1024    # places that have learned embeddings
READ = {"both": (1, 1, 1), "current": (1, 0, 1), "next": (0, 1, 1), "none": (0, 0, 1)}    # of current, next, token


@dataclass(frozen=True)
class VariantConfig(HybridConfig):
    inputs: str = INPUTS[0]
    contribution: str = CONTRIBUTIONS[0]
    positions: str = POSITIONS[0]

    def __post_init__(self):
        super().__post_init__()
        if self.positions not in POSITIONS:
            raise ValueError(f"positions {self.positions!r} is unknown; choose {' | '.join(POSITIONS)}")
        if self.inputs not in INPUTS or self.contribution not in CONTRIBUTIONS:
            raise ValueError(f"inputs {self.inputs!r} or contribution {self.contribution!r} is unknown; choose "
                             f"{' | '.join(INPUTS)} and {' | '.join(CONTRIBUTIONS)}")
        if self.contribution != CONTRIBUTIONS[0] and self.causal != 1:
            raise ValueError(f"contribution {self.contribution!r} is for one causal block, not {self.causal}")


class Read(nn.Linear):
    """The 3d -> d projection, with some of its three parts left out."""

    parts: Tensor    # (3d,) 1 where it reads, 0 where not

    def __init__(self, width: int, parts: tuple[int, ...]):
        super().__init__(3 * width, width, bias=False)
        nn.init.normal_(self.weight, std=(sum(parts) * width) ** -0.5)
        self.register_buffer("parts", torch.tensor(parts, dtype=torch.float32).repeat_interleave(width),
                             persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x * self.parts.to(x.dtype), self.weight)


class Ending(Block):
    """A block x -> x + new(Block(x)), so that what it adds is new(Block(x)) alone."""

    def new(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor, query, key, causal: bool = False) -> Tensor:
        return x + self.new(super().forward(x, query, key, causal))

    def ask(self, x: Tensor, keys: Tensor, values: Tensor, query, seen: Tensor) -> Tensor:
        return x + self.new(super().ask(x, keys, values, query, seen))


class Projected(Ending):
    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        self.last = nn.Linear(config.width, config.width, bias=False)
        nn.init.zeros_(self.last.weight)

    def new(self, x: Tensor) -> Tensor:
        return self.last(F.layer_norm(x, x.shape[-1:]))


class Gated(Ending):
    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        self.gate = nn.Parameter(torch.zeros(config.width))

    def new(self, x: Tensor) -> Tensor:
        return self.gate * x


class Variant(Hybrid):
    name = "hybrid_variant"
    config_type = VariantConfig
    config: VariantConfig

    def __init__(self, config: VariantConfig):
        super().__init__(config)
        self.project = Read(config.width, READ[config.inputs])
        if config.contribution != "added":
            ending: Block = {"projected": Projected, "gated": Gated}[config.contribution](config)
            self.blocks_c = cast(Sequence[Block], nn.ModuleList([ending]))
        if config.positions == "learned":
            # of the places carried, then of those to be predicted
            self.project_places = nn.Embedding(2 * LONGEST, config.width)
            nn.init.normal_(self.project_places.weight, std=0.02)

    def target_hidden(self, h: Tensor, y: Tensor, order: Tensor, tracks: int) -> Tensor:
        how = self.config.positions
        if how == "split":
            return super().target_hidden(h, y, order, tracks)
        u = self._inputs(Kept(h), y, order, torch.arange(tracks, device=h.device).expand(len(y), -1))    # (B, T, d)
        nxt = order[:, :tracks]                                                    # (B, T) the place predicted
        cur = torch.cat((nxt[:, :1], nxt[:, :-1]), 1)                              # (B, T) the place carried
        if how == "learned":
            u = u + self.project_places(cur) + self.project_places(nxt + LONGEST)
        angles = self.rotary(nxt * (how == "halves"))  # (B, 1, T, head_width / 2) cos and sin
        if how == "halves":
            mine = torch.arange(angles[0].shape[-1], device=h.device) % 2 == 0     # every second pair of channels
            angles = tuple(torch.where(mine, a, b) for a, b in zip(self.rotary(cur), angles))
        c = u
        for block in self.blocks_c:
            c = block(c, angles, angles, causal=True)
        return gather_rows(h, nxt) + (c - u) if self.config.residual else c        # (B, T, d)

    def verify(self, hidden: Kept, y: Tensor, order: Tensor, at: Tensor,
               alive: Tensor | None = None) -> Tensor:
        if self.config.positions == "split":
            return super().verify(hidden, y, order, at, alive)
        longest = max(int(at.max()) + 1, 1)    # on a device also where no row asks
        return self.target_logits(gather_rows(self.target_hidden(hidden.h, y, order, longest), at))    # (B, W, V)

    def begin(self, hidden: Kept, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        """(B,) the first track that a verify pass computes: all of them where nothing is kept."""
        begin = super().begin(hidden, y, order, at)
        return begin if self.config.positions == "split" else torch.zeros_like(begin)

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        """Convention of harness/nets/flops.py; the projection is counted whole, also where parts of it are left out."""
        last = 2 * self.config.width**2 * heads if kind == "verify" and self.config.contribution == "projected" else 0
        return super().flops(kind, length, heads, tracks, begin) + last
