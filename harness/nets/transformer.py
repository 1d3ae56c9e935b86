"""A bidirectional masked transformer: pre-norm blocks, rotary positions, fused attention, no time conditioning.

The number of masks is visible in the input, so the network needs no clock (arXiv 2409.02908). The head has V outputs:
MASK, the input id V, can never be produced. Queries and keys take their rotary positions separately, which is what a
causal stack along an order of positions needs (ssmd/model.py).

The first `left` blocks may read as a left-to-right network reads: place p sees the tokens before p, masks among them.
So a masked network can begin as one that was trained from left to right, as those of arXiv 2410.17891 do. The last
token of a row is then read by no place: such a network is for writing from the left. Where texts end with a token that
is given, `end`, it stands on the right of what is written; each place is told how far it is to the first of them, by
waves of 2, 4, ... places.

    >>> net = Transformer(TransformerConfig(vocab=27, width=64, heads=2, blocks=2)).eval()
    >>> logits, hidden = net.draft(torch.full((3, 16), 27), at=torch.tensor([[0], [5], [-1]]))
    >>> logits.shape, hidden.shape
    (torch.Size([3, 1, 27]), torch.Size([3, 16, 64]))
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nets.flops import block_flops, head_flops


def autocast(device: str, wanted: bool = True) -> torch.autocast:
    """bfloat16 matrix products where the hardware has them; elsewhere they are emulated, a hundred times slower than
    float32.
    """
    return torch.autocast(device, torch.bfloat16, enabled=wanted and products(device) == "bfloat16")


def products(device: str) -> str:
    """Type of the matrix products under `autocast`."""
    return "bfloat16" if device == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"


class RMSNorm(nn.RMSNorm):
    """In the type of its weights: for another torch has no kernel of one pass, and warns."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.to(self.weight.dtype))


NORMS = {"rms": RMSNorm, "layer": nn.LayerNorm}


@dataclass(frozen=True)
class TransformerConfig:
    stored: ClassVar[tuple[str, ...]] = ("blocks", "causal")    # of these counts, those whose blocks lie in the file

    vocab: int
    width: int
    heads: int
    blocks: int
    norm: str = "rms"
    dropout: float = 0.0
    base: float = 10_000.0    # of the rotary angles
    left: int = 0             # of the blocks, those that look left alone
    end: int = -1             # the token that ends a text, whose distance is told; -1: none is
    told: int = 0             # waves that tell it, of 2, 4, ... 2**told places

    def __post_init__(self):
        if not 0 <= self.left <= self.blocks:
            raise ValueError(f"left {self.left} must be one of 0..{self.blocks}, the number of blocks before a causal "
                             "part")
        if not -1 <= self.end < self.vocab or (self.end < 0) != (self.told == 0):
            raise ValueError(f"end {self.end} and told {self.told} do not go together: end is one of "
                             f"0..{self.vocab - 1} where distances are told, and else -1, with told 0")
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} must be a multiple of twice the number of heads ({self.heads}), for "
                             "the rotary pairs")
        if self.norm not in NORMS:
            raise ValueError(f"norm {self.norm!r} is unknown; choose {' | '.join(NORMS)}")


class Rotary(nn.Module):
    """Angles of given positions; rotation of channel pairs (arXiv 2104.09864)."""

    frequency: Tensor    # (head_width / 2,)

    def __init__(self, head_width: int, base: float):
        super().__init__()
        frequency = base ** -(torch.arange(0, head_width, 2).double() / head_width)
        self.register_buffer("frequency", frequency.float(), persistent=False)

    def forward(self, position: Tensor) -> tuple[Tensor, Tensor]:
        angle = position[..., None].float() * self.frequency    # (B, T, head_width / 2)
        return angle.cos()[:, None], angle.sin()[:, None]                         # (B, 1, T, head_width / 2)


def rotate(x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = (a.to(x.dtype) for a in angles)
    a, b = x.chunk(2, dim=-1)                                                     # (B, heads, T, head_width / 2) each
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def attention(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
    """(B, heads, T, head_width) each -> the same. In a training in bfloat16 on a CPU attention is in float32: torch
    2.13 takes five times as long for the gradient of the other.
    """
    if q.dtype != torch.bfloat16 or q.device.type != "cpu" or not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    with torch.autocast("cpu", enabled=False):
        return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=causal).to(q.dtype)


class Block(nn.Module):
    def __init__(self, config: TransformerConfig, zero_start: bool = False):
        super().__init__()
        d, self.heads, self.dropout = config.width, config.heads, config.dropout
        self.norm1, self.norm2 = NORMS[config.norm](d), NORMS[config.norm](d)
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.out = nn.Linear(d, d, bias=False)
        self.up = nn.Linear(d, 4 * d, bias=False)
        self.down = nn.Linear(4 * d, d, bias=False)
        for layer in (self.qkv, self.up):
            nn.init.normal_(layer.weight, std=0.02)
        for layer in (self.out, self.down):
            nn.init.normal_(layer.weight, std=0.0 if zero_start else 0.02 / (2 * config.blocks) ** 0.5)

    def forward(self, x: Tensor, query: tuple[Tensor, Tensor], key: tuple[Tensor, Tensor],
                causal: bool = False) -> Tensor:
        B, T, d = x.shape
        # (B, heads, T, d / heads)
        q, k, v = self.qkv(self.norm1(x)).view(B, T, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        seen = attention(rotate(q, query), rotate(k, key), v, causal)
        x = x + self.drop(self.out(seen.transpose(1, 2).reshape(B, T, d)))
        return x + self.drop(self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh")))

    def keys_values(self, x: Tensor, key: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """What x (B, C, d) offers to those who ask, (B, heads, C, d / heads) each."""
        (B, C, d), (_, k, v) = x.shape, self.qkv.weight.chunk(3)
        n = self.norm1(x)
        k, v = (F.linear(n, part).view(B, C, self.heads, d // self.heads).transpose(1, 2) for part in (k, v))
        return rotate(k, key), v

    def ask(self, x: Tensor, keys: Tensor, values: Tensor, query: tuple[Tensor, Tensor], seen: Tensor) -> Tensor:
        """x (B, W, d) after the block, where it sees `seen` (B, 1, W, T) of the keys and values (B, heads, T, d /
        heads).
        """
        B, W, d = x.shape
        q = F.linear(self.norm1(x), self.qkv.weight[:d]).view(B, W, self.heads, d // self.heads).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(rotate(q, query), keys, values, attn_mask=seen)
        x = x + self.out(mixed.transpose(1, 2).reshape(B, W, d))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))

    def drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


def gather_rows(h: Tensor, at: Tensor) -> Tensor:
    """h (B, L, d), at (B, W) with -1 as padding -> (B, W, d); padding reads place 0."""
    return h.gather(1, at.clamp_min(0)[..., None].expand(-1, -1, h.shape[-1]))


class Network(nn.Module):
    """What a checkpoint holds: a module made of a configuration, which `checkpoint.load` gives a card and a hash."""

    name: str
    config: Any
    vocab: int
    card: dict[str, Any]
    sha256: str


class Transformer(Network):
    """Embedding, `blocks` bidirectional blocks, final norm and head. A Denoiser with a draft pass and no verify
    pass.
    """

    name = "transformer"
    config_type = TransformerConfig
    config: TransformerConfig

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config, self.vocab, self.mask = config, config.vocab, config.vocab
        self.embed = nn.Embedding(config.vocab + 1, config.width)
        self.blocks_nc = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.rotary = Rotary(config.width // config.heads, config.base)
        self.norm = NORMS[config.norm](config.width)
        self.head = nn.Linear(config.width, config.vocab, bias=False)
        nn.init.normal_(self.embed.weight, std=0.02)
        nn.init.normal_(self.head.weight, std=0.02)
        if config.told:
            self.distance = nn.Linear(2 * config.told, config.width, bias=False)
            nn.init.zeros_(self.distance.weight)

    @property
    def draft_trains(self) -> bool:
        """Whether a training changes what draft passes use."""
        return self.embed.weight.requires_grad

    def hidden(self, x: Tensor) -> Tensor:
        """x (B, L) ids -> hidden states (B, L, d) before the final norm."""
        angles = self.rotary(torch.arange(x.shape[1], device=x.device)[None])
        left = self.config.left
        h = self.embed(F.pad(x[:, :-1], (1, 0), value=self.mask) if left else x)   # (B, L, d)
        if self.config.told:
            h = h + self.distance(self.waves(self.far(x)))
        for k, block in enumerate(self.blocks_nc):
            h = block(h, angles, angles, causal=k < left)
        return h

    def far(self, x: Tensor) -> Tensor:
        """x (B, L) -> places from each to the first `end`, or behind the row where there is none, (B, L); 0 behind."""
        at = torch.arange(x.shape[1], device=x.device)
        first = torch.where(x == self.config.end, at, x.shape[1]).amin(1)          # (B,)
        return (first[:, None] - at).clamp_min(0)

    def waves(self, far: Tensor) -> Tensor:
        """far (B, L) -> sine and cosine of each wave, (B, L, 2 told)."""
        length = 2.0 ** torch.arange(1, self.config.told + 1, device=far.device)   # (told,) places
        angle = 2 * torch.pi * far[..., None] / length                             # (B, L, told)
        return torch.cat((angle.sin(), angle.cos()), -1)

    def logits(self, h: Tensor) -> Tensor:
        return self.head(self.norm(h))                                             # (..., V)

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Any]:
        # compaction and switching are the business of harness/nets/wrap.py; this network reads no clock
        del alive, clock
        h = self.hidden(x)
        return self.logits(h if at is None else gather_rows(h, at)), h

    def verify(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        raise ValueError("a plain masked transformer has no verify pass: give this sampler a hybrid checkpoint")

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        assert kind == "draft", kind
        c = self.config
        return length * c.blocks * block_flops(c.width, length) + heads * head_flops(c.width, c.vocab)

    def blocks(self, kind: str) -> int:
        return self.config.blocks if kind == "draft" else 0
