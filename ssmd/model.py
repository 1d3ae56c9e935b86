"""The hybrid network of self-speculative masked diffusion (arXiv 2510.03929; details where it is silent are ours).

A stack of non-causal blocks reads the masked text once: its hidden states give the draft p for every masked position, all at
once and factorised. A short causal stack then reads those hidden states along an order sigma, with the tokens drafted so
far, and gives the target q, which does not factorise. Track k carries the token at sigma(k) and predicts sigma(k+1):

    u       = W_in [N(h at sigma(k)) ; N(h at sigma(k+1)) ; N(embedding of y at sigma(k))]        N: parameter-free layer norm
    c       = Blocks(u) - u                                             only what the blocks add: zero at the start
    Q[k+1]  = Head(Norm(h at sigma(k+1) + c))                           same head and norm as the draft, so Q = P at the start

Queries are rotated by the position to be predicted, sigma(k+1), keys by the position of the token carried, sigma(k). Read
the other way round - both halves from the track's own pair - the stack does not learn at all, since no product then holds
the distance between the place to be predicted and a known token. Track 0 carries BOS and predicts sigma(1).

Ranks count from 0 in this code: track r predicts the token of rank r, at position order[r].
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.flops import causal_flops, head_flops
from harness.nets.transformer import NORMS, Block, Transformer, TransformerConfig, gather_rows


@dataclass(frozen=True)
class HybridConfig(TransformerConfig):
    """`blocks` non-causal blocks and `causal` causal ones; total depth is their sum."""

    causal: int = 1
    residual: bool = True       # add the hidden state of the next position to the causal output
    shared_head: bool = True    # one head and final norm for draft and target


class Hybrid(Transformer):
    name = "hybrid"
    config_type = HybridConfig

    def __init__(self, config: HybridConfig):
        super().__init__(config)
        d = config.width
        self.bos = nn.Parameter(torch.randn(d) * 0.02)
        self.project = nn.Linear(3 * d, d, bias=False)
        nn.init.normal_(self.project.weight, std=(3 * d) ** -0.5)
        self.blocks_c = nn.ModuleList(Block(config, zero_start=True) for _ in range(config.causal))
        if not config.shared_head:
            self.norm_c = NORMS[config.norm](d)
            self.head_c = nn.Linear(d, config.vocab, bias=False)
            self.head_c.load_state_dict(self.head.state_dict())    # so that Q = P at the start here too

    def target_hidden(self, h: Tensor, y: Tensor, order: Tensor, tracks: int) -> Tensor:
        """h (B, L, d), y and order (B, L) -> (B, tracks, d): the state whose head gives the target of ranks 0..tracks-1."""
        order = order[:, :tracks]
        nxt = gather_rows(h, order)                                                        # (B, T, d) of the place predicted
        carried = order[:, : tracks - 1]                                                   # (B, T-1) tracks 1.. carry these places
        cur = torch.cat((torch.zeros_like(nxt[:, :1]), nxt[:, :-1]), dim=1)                # (B, T, d)
        bos = self.bos.to(nxt.dtype).expand(len(y), 1, -1)
        tok = torch.cat((bos, self.embed(y.gather(1, carried)).to(nxt.dtype)), dim=1)      # (B, T, d)
        u = self.project(torch.cat([F.layer_norm(part, part.shape[-1:]) for part in (cur, nxt, tok)], dim=-1))
        query = self.rotary(order)
        key = self.rotary(torch.cat((order[:, :1], carried), dim=1))
        c = u
        for block in self.blocks_c:
            c = block(c, query, key, causal=True)
        return nxt + (c - u) if self.config.residual else c                                # (B, T, d)

    def target_logits(self, state: Tensor) -> Tensor:
        return self.logits(state) if self.config.shared_head else self.head_c(self.norm_c(state))

    def verify(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        del alive    # see harness/wrap.py
        tracks = int(at.max()) + 1    # later tracks cannot reach the ranks wanted
        return self.target_logits(gather_rows(self.target_hidden(hidden, y, order, tracks), at))   # (B, W, V)

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0) -> int:
        if kind == "draft":
            return super().flops(kind, length, heads)
        c = self.config
        return causal_flops(c.width, c.causal, 0, tracks) + heads * head_flops(c.width, c.vocab)

    def blocks(self, kind: str) -> int:
        return self.config.blocks if kind == "draft" else self.config.causal
