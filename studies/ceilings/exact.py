"""Ceilings of one pass where all states can be listed (ours).

    coupling    sum_m sum_{v_1..v_m} prod_j min(p_j(v_j), q_j(v_j | v_<j))     drafts that a test rank by rank keeps
    joint       sum_m (1 - TV(P_{1..m}, p_1 x .. x p_m))                       what any lossless test of one path keeps

P is the law of the text along the order, p_j the marginals that the drafts come from, q_j the conditionals of P. The
self-speculative sampler in an open window keeps `coupling` in the mean, in its first verify pass.

    >>> stay = torch.tensor([[0.8, 0.2], [0.2, 0.8]])
    >>> law = 0.5 * stay[:, :, None] * stay[None]
    >>> round(coupling(law), 2), round(joint(law), 2)
    (2.19, 2.31)
"""

import torch
from torch import Tensor


def heads(law: Tensor) -> list[Tensor]:
    """law (V,) * W -> P_{1..m} for m = 1..W, (V,) * m."""
    return [law.sum(tuple(range(m, law.dim()))) if m < law.dim() else law for m in range(1, law.dim() + 1)]


def marginals(law: Tensor) -> list[Tensor]:
    return [law.sum([k for k in range(law.dim()) if k != j]) for j in range(law.dim())]


def coupling(law: Tensor) -> float:
    """law (V,) * W, of the text along the order, sums to 1."""
    kept, total, before = torch.ones((), dtype=law.dtype), 0.0, law.sum()
    for head, p in zip(heads(law), marginals(law)):
        q = head / before[..., None].clamp_min(1e-300)                             # (V,) * m
        kept = kept[..., None] * torch.minimum(q, p)
        total, before = total + float(kept.sum()), head
    return total


def joint(law: Tensor) -> float:
    """The same; no test of a path of independent drafts keeps more (coupling inequality)."""
    product, total = torch.ones((), dtype=law.dtype), 0.0
    for head, p in zip(heads(law), marginals(law)):
        product = product[..., None] * p
        total += float(torch.minimum(head, product).sum())
    return total
