"""The toys of the probes: small networks whose weights are a function of a seed, prompts, row numbers.

Weights come from numpy's RandomState, whose uniforms are the same on every machine for ever.
A toy that changes changes every probe: raise TOYS with it.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.data.exact import Exact
from harness.kinds import Denoiser
from harness.nets.nucleus import Nucleus
from harness.nets.tabular import Tabular
from harness.nets.wrap import Temper
from ssmd.model import Hybrid, HybridConfig
from ssmd.variants import Variant, VariantConfig

TOYS = 1                                       # version of this file
ROWS, BATCH = 16, 7                            # the queue refills, and ends with fewer rows
LENGTH, VOCAB = 12, 27
IDS = torch.arange(ROWS) * 1009 + 2**31        # no number of a row is its place
SMALL: dict[str, Any] = {"vocab": VOCAB, "width": 16, "heads": 2, "blocks": 1}
NETS = ("hybrid", "table", "deep", "halves", "learned")
CHANGES = ("", "temperature 0.5", "nucleus 0.9", "nucleus 0.9 below")


def filled(net: Hybrid, head: float, other: float = 0.0) -> Hybrid:
    """Rough weights, none of them zero: drafts and targets differ, and neither comes from a joint.

    head: the size of those of embedding and head; other: a share of other weights.
    """
    draws = [np.random.RandomState(seed) for seed in (0, 1)]
    for name, p in net.named_parameters():
        a, b = (torch.from_numpy(draw.random_sample(tuple(p.shape)) * 2 - 1) for draw in draws)    # -1..1
        u, scale = a + other * (b - a), head if "embed" in name or "head" in name else 0.8
        with torch.no_grad():
            p.copy_(1 + u / 4 if p.dim() == 1 else u * scale)
    return net.eval().requires_grad_(False)


@lru_cache
def toy(name: str) -> dict[str, Denoiser]:
    """The networks of one name, by role: the light one is much like the main one, so that some of its drafts pass."""
    if name == "table":
        table = Tabular(Exact().law(), 3, 4)
        return {"main": table, "light": table.flat()}
    deep = HybridConfig(**SMALL | {"blocks": 2}, causal=2, residual=False, shared_head=False, norm="layer")
    halves = VariantConfig(**SMALL, inputs="current", contribution="gated", positions="halves")
    learned = VariantConfig(**SMALL, inputs="next", contribution="projected", positions="learned")
    make = {"hybrid": lambda: Hybrid(HybridConfig(**SMALL)), "deep": lambda: Hybrid(deep),
            "halves": lambda: Variant(halves), "learned": lambda: Variant(learned)}[name]
    head = 0.4 if name == "deep" else 1.0    # nothing but flat laws makes some of its drafts pass
    return {"main": filled(make(), head), "light": filled(make(), head, 0.2)}


def changed(net: Denoiser, change: str) -> Denoiser:
    """The network with its laws changed as an arm of a study may ask."""
    return {"": lambda: net, "temperature 0.5": lambda: Temper(net, 0.5), "nucleus 0.9": lambda: Nucleus(net, 0.9),
            "nucleus 0.9 below": lambda: Nucleus(net, 0.9, "below")}[change]()


def prompts(net: Denoiser, every: bool = False) -> Tensor:
    """(ROWS, L): masks; some tokens given in every third row, everything in the last but one.

    every: two tokens are given in each row. Under masks alone all places are alike, and an order by certainty would
    hang on their last bits.
    """
    length, row = getattr(net, "length", LENGTH), torch.arange(ROWS)
    x = torch.full((ROWS, length), net.mask)
    x[::3, 1] = 0
    x[::6, -1] = 2
    if every:
        x[row, 5 * row % length] = (row + 1) % net.vocab
        x[row, (7 * row + 4) % length] = (2 * row + 10) % net.vocab
    x[ROWS - 2] = torch.arange(length) % net.vocab
    return x
