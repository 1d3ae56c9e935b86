"""Analytic FLOPs of a transformer pass. A multiply-add counts as 2.

Counted: the matrix products of attention and MLP (24 d^2 a token and block), scores and mixing of attention (4 T d a
token and block, T keys), input projections, and the head where logits are evaluated (2 d V each). Left out: embeddings,
norms, rotary angles, softmax, activations, draws: together below 2 % at the sizes here, and different in every
implementation. The convention is that of arXiv 2203.15556, appendix F, less its softmax and embedding terms.

`counted` counts the same products of any function while it runs, for networks whose form is not ours.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

T = TypeVar("T")


def counted(call: Callable[[], T]) -> tuple[int, T]:
    """FLOPs of the matrix products of a call, and what it gives. Attention is taken apart into its products, so that
    none hides in a fused one.
    """
    with torch.inference_mode(False), torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as counter:
            found = call()
    return counter.get_total_flops(), found


def block_flops(width: int, keys: int) -> int:
    """One token through one block that attends to `keys` tokens."""
    return 24 * width**2 + 4 * width * keys


def head_flops(width: int, vocab: int) -> int:
    """Logits at one place."""
    return 2 * width * vocab


def causal_flops(width: int, blocks: int, start: int, stop: int, asked: int) -> int:
    """Tracks start..stop-1 of a causal stack, each seeing itself and all before it, of which the last `asked` have an
    output; those before `start` are kept.

    The 3d -> d input projection is included. In the last block the others give keys and values only.
    """
    tracks = stop - start
    seen = (stop * (stop + 1) - start * (start + 1)) // 2  # pairs of a track and one that it sees
    seen_last = (stop * (stop + 1) - (stop - asked) * (stop - asked + 1)) // 2
    every = 24 * width**2 * tracks + 4 * width * seen
    last = 4 * width**2 * tracks + 20 * width**2 * asked + 4 * width * seen_last
    return 6 * width**2 * tracks + (blocks - 1) * every + last
