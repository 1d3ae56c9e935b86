"""What decides the weights of a network of the family, but for the data: its size, its loss's law of i, its optimiser,
its budget and its seed.
"""

from dataclasses import asdict, dataclass

import torch

from harness.nets.autoregressive import Autoregressive
from harness.nets.transformer import Transformer, TransformerConfig
from harness.param import Choice, Range, check, param
from harness.schedules.noise import Cosine, Linear, Polynomial
from harness.schedules.order import ORDERS, UNIFORM, LeftToRight, OrderLaw
from ssmd.model import Hybrid, HybridConfig
from ssmd.variants import CONTRIBUTIONS, INPUTS, POSITIONS, Variant, VariantConfig


@dataclass(frozen=True)
class Training:
    """Everything that decides the weights, but for the data."""

    network: str = param("hybrid", Choice("hybrid", "masked", "judge"))
    width: int = param(128, Range(2, 1 << 16))
    heads: int = param(4, Range(1, 1 << 10))
    blocks: int = param(6, Range(1, 1 << 10), "in all: a hybrid has blocks - causal non-causal ones")
    causal: int = param(1, Range(1, 1 << 10))
    left: int = param(0, Range(0, 1 << 10), "of a draft's blocks, those that look left alone: it may then begin, with "
                                            "--init, as a left-to-right network")
    residual: bool = True
    shared_head: bool = True
    told: bool = False         # each place of a draft knows how far it is to the end of its text, which is given
    # the draft: only what verify passes add is trained, as in the paper's protein model; needs init
    frozen: bool = False
    taught: int = param(0, Range(0, 1 << 10), "ranks a row whose label is the draft's own law there, one token a pass, "
                                              "in the place of the text's tokens; from the left all of them "
                                              "(ssmd/train/taught.py)")
    # labels are the laws that were met as the rows were written, along that order (ssmd/train/written.py)
    written: bool = False
    blind: bool = False    # of an attached block: it reads no tokens (ssmd/attached.py)
    given: float = param(0.0, Range(0.0, 0.99),
                         "share of each row that is always known, at random places: what prompts will give")
    depth: int = param(0, Range(0, 1 << 20),
                       "of the target term, in tokens: the window that verify passes will test; 0: all that is masked. "
                       "From the left, of the draft's too")
    orders: int = param(1, Range(1, 256), "of the masked places a draft pass: more of them train the causal part alone")
    order: OrderLaw = param(UNIFORM, ORDERS, "of writing, whose beginnings are what is not masked: any, or one "
                                             "that samplers will keep to")
    power: float = param(1.0, Range(0.0, 4.0), "of D/(D-i) in the weight of the target term")
    inputs: str = param(INPUTS[0], Choice(*INPUTS), "hidden states that a track of the causal part reads")
    contribution: str = param(CONTRIBUTIONS[0], Choice(*CONTRIBUTIONS), "how the causal part adds to the draft")
    positions: str = param(POSITIONS[0], Choice(*POSITIONS), "where positions enter the causal part")
    dropout: float = param(0.0, Range(0.0, 0.5))
    schedule: Linear | Cosine | Polynomial = param(Linear(), Choice(Linear(), Cosine(), Polynomial()), "the law of i")
    tokens: float = param(12e6, Range(1, 1e13, log=True), "budget: rows x length summed over updates")
    batch: int = param(16, Range(1, 1 << 20))
    micro: int = param(0, Range(0, 1 << 20), "rows of a forward pass, whose gradients are added up to those of the "
                                             "batch: less memory, the same update up to rounding; 0: all at once")
    optimiser: str = param("muon", Choice("muon", "adamw"))
    lr: float = param(2e-3, Range(1e-6, 1.0, log=True))
    decay: float = param(0.03, Range(0.0, 1.0))
    betas: tuple[float, float] = (0.9, 0.95)
    warmup: int = param(200, Range(0, 1e9))
    clip: float = param(1.0, Range(1e-6, 1e6))
    average: float = param(0.999, Range(0.0, 1.0))
    seed: int = param(1, Range(0, 2**63 - 1))

    def __post_init__(self):
        check(self)
        if len(self.betas) != 2 or not all(isinstance(b, (int, float)) and 0 <= b < 1 for b in self.betas):
            raise ValueError(f"Training: betas={self.betas!r} is not allowed; choose two numbers in 0..1, below 1")
        if self.network == "hybrid" and self.causal >= self.blocks:
            raise ValueError(f"Training: causal={self.causal} of blocks={self.blocks} leaves no block for the draft; "
                             "choose fewer")
        if self.left and self.network == "judge":
            raise ValueError("Training: left > 0 is of masked networks and hybrids, and a judge looks left in any "
                             "case: leave it out")
        if self.told and self.network == "judge":
            raise ValueError("Training: told=True is of masked networks and hybrids: a judge writes where a text ends; "
                             "leave it out")
        if self.taught and not self.frozen:
            raise ValueError("Training: taught > 0 takes the draft as a teacher, which must stand still: choose "
                             "frozen=True")
        if self.written and (self.taught or self.orders > 1 or not self.frozen):
            raise ValueError("Training: written=True has the labels and the one order of rows that the frozen draft "
                             "wrote: leave taught and orders out, and choose frozen=True")
        for name, idle in (("orders", 1), ("depth", 0), ("power", 1.0)):
            from_left = name == "depth" and self.network == "masked" and self.order == LeftToRight()
            if getattr(self, name) != idle and self.network != "hybrid" and not from_left:
                raise ValueError(f"Training: {name}={getattr(self, name)} is of the target term, which hybrids alone "
                                 f"have; leave it out of a {self.network} network")
        if self.order != UNIFORM and (self.network == "judge" or self.written or self.orders > 1 or self.given):
            raise ValueError("Training: an order of writing is of masked networks and hybrids, one order a pass: leave "
                             "it out of a judge, and of written=True, orders > 1 and given > 0")
        if self.given and self.network == "judge":
            raise ValueError("Training: given > 0 is of masked tokens, and a judge reads from left to right; leave it "
                             "out")
        if self.frozen and self.network != "hybrid":
            raise ValueError(f"Training: frozen=True leaves a {self.network} network nothing to train; it is for "
                             "hybrids")

    def build(self, vocab: int, end: int = -1, length: int = 0) -> Transformer | Autoregressive:
        """end: the token that data give where a text ends, -1 for none, in rows of this length. Raises ValueError where
        places are to be told of an end that is not given.
        """
        if self.told and end < 0:
            raise ValueError("Training: told=True is for data that give where a text ends: leave it out")
        torch.manual_seed(self.seed)    # initial weights only
        hybrid = self.network == "hybrid"
        plain = TransformerConfig(vocab, self.width, self.heads, self.blocks - self.causal if hybrid else self.blocks,
                                  dropout=self.dropout, left=self.left,
                                  end=end if self.told else -1, told=length.bit_length() * self.told)
        if not hybrid:
            return (Transformer if self.network == "masked" else Autoregressive)(plain)
        size = HybridConfig(**asdict(plain), causal=self.causal, residual=self.residual, shared_head=self.shared_head)
        if (self.inputs, self.contribution, self.positions) == (INPUTS[0], CONTRIBUTIONS[0], POSITIONS[0]):
            return Hybrid(size)
        return Variant(VariantConfig(**asdict(size), inputs=self.inputs, contribution=self.contribution,
                                     positions=self.positions))
