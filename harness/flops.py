"""Analytic FLOPs of a transformer pass. A multiply-add counts as 2.

Counted: the matrix products of attention and MLP (24 d^2 a token and block), scores and mixing of attention (4 T d a token
and block, T keys), input projections, and the head where logits are evaluated (2 d V each). Left out: embeddings, norms,
rotary angles, softmax, activations, draws: together below 2 % at the sizes here, and different in every implementation.
The convention is that of arXiv 2203.15556, appendix F, less its softmax and embedding terms.
"""


def block_flops(width: int, keys: int) -> int:
    """One token through one block that attends to `keys` tokens."""
    return 24 * width**2 + 4 * width * keys


def head_flops(width: int, vocab: int) -> int:
    """Logits at one place."""
    return 2 * width * vocab


def causal_flops(width: int, blocks: int, start: int, stop: int) -> int:
    """Tracks start..stop-1 of a causal stack, each attending to itself and all before it; the 3d -> d input projection included."""
    tracks = stop - start
    keys = (stop * (stop + 1) - start * (start + 1)) // 2
    return tracks * (24 * width**2 * blocks + 6 * width**2) + 4 * width * blocks * keys
