"""A left-to-right transformer over the same alphabet: the judge that ships (harness/metrics/judge.py). Not a Denoiser.

Position k reads tokens 0..k-1 behind a BOS embedding and predicts token k; every token of a row is judged, the first
one too.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nets.transformer import NORMS, Block, Network, Rotary, TransformerConfig


class Autoregressive(Network):
    name = "autoregressive"
    config_type = TransformerConfig

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config, self.vocab = config, config.vocab
        self.embed = nn.Embedding(config.vocab + 1, config.width)    # the last id is BOS
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.rotary = Rotary(config.width // config.heads, config.base)
        self.norm = NORMS[config.norm](config.width)
        self.head = nn.Linear(config.width, config.vocab, bias=False)
        nn.init.normal_(self.embed.weight, std=0.02)
        nn.init.normal_(self.head.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L) -> logits (B, L, V), those at k from the tokens before k."""
        h = self.embed(F.pad(x[:, :-1], (1, 0), value=self.vocab))                 # (B, L, d)
        angles = self.rotary(torch.arange(x.shape[1], device=x.device)[None])
        for block in self.blocks:
            h = block(h, angles, angles, causal=True)
        return self.head(self.norm(h))
