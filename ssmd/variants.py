"""Hybrids wired otherwise, for ablations: which hidden states a track of the causal part reads, and how that part adds to the draft.

inputs         "both" (ssmd/model.py) | "current", of the place whose token the track carries | "next", of the place to be predicted | "none": token and positions alone.
               The first is reported for arXiv 2510.03929; whether it is needed beside the output residual is a question of its reviewers.
contribution   "added", c = Blocks(u) - u (ssmd/model.py) | "projected", c = W_out N(Block(u)) with W_out = 0 at the start | "gated", c = g * Block(u) with a vector g = 0 at the
               start. All three begin as the draft; ours, the paper does not say.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nets.transformer import Block, TransformerConfig
from ssmd.model import Hybrid, HybridConfig

INPUTS, CONTRIBUTIONS = ("both", "current", "next", "none"), ("added", "projected", "gated")
READ = {"both": (1, 1, 1), "current": (1, 0, 1), "next": (0, 1, 1), "none": (0, 0, 1)}    # of current, next, token


@dataclass(frozen=True)
class VariantConfig(HybridConfig):
    inputs: str = INPUTS[0]
    contribution: str = CONTRIBUTIONS[0]

    def __post_init__(self):
        super().__post_init__()
        if self.inputs not in INPUTS or self.contribution not in CONTRIBUTIONS:
            raise ValueError(f"inputs {self.inputs!r} or contribution {self.contribution!r} is unknown; choose {' | '.join(INPUTS)} and {' | '.join(CONTRIBUTIONS)}")
        if self.contribution != CONTRIBUTIONS[0] and self.causal != 1:
            raise ValueError(f"contribution {self.contribution!r} is for one causal block, not {self.causal}")


class Read(nn.Linear):
    """The 3d -> d projection, with some of its three parts left out."""

    def __init__(self, width: int, parts: tuple[int, ...]):
        super().__init__(3 * width, width, bias=False)
        nn.init.normal_(self.weight, std=(sum(parts) * width) ** -0.5)
        self.register_buffer("parts", torch.tensor(parts, dtype=torch.float32).repeat_interleave(width), persistent=False)    # (3d,)

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

    def __init__(self, config: VariantConfig):
        super().__init__(config)
        self.project = Read(config.width, READ[config.inputs])
        if config.contribution != "added":
            self.blocks_c = nn.ModuleList([{"projected": Projected, "gated": Gated}[config.contribution](config)])

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        """Convention of harness/flops.py; the projection is counted whole, also where parts of it are left out."""
        last = 2 * self.config.width**2 * heads if kind == "verify" and self.config.contribution == "projected" else 0
        return super().flops(kind, length, heads, tracks, begin) + last
