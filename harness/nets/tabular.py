"""A network that knows an exact joint over V**L sequences: draft = exact marginals given what is revealed, verify =
exact conditionals along an order. The oracle of the law tests; `flat` raises the joint to a power and so makes a light
network.

    >>> from harness.data.exact import Exact
    >>> net = Tabular(Exact().law(), vocab=3, length=4)
    >>> logits, _ = net.draft(torch.full((2, 4), 3))
    >>> logits.shape
    torch.Size([2, 4, 3])
"""

from typing import Any

import torch
from torch import Tensor


class Tabular:
    """law (V**L,) float64 in the order of torch.cartesian_prod."""

    name = "tabular"
    card: dict[str, Any]
    sha256: str

    def __init__(self, law: Tensor, vocab: int, length: int, cost: int = 6):
        self.vocab, self.mask, self.length, self.cost = vocab, vocab, length, cost
        self.law = law / law.sum()
        # (V**L, L)
        self.states = torch.cartesian_prod(*[torch.arange(vocab, device=law.device)] * length).view(-1, length)

    def flat(self, power: float = 0.5) -> "Tabular":
        """The same joint with its probabilities raised to a power: a worse network of a third of the cost."""
        return Tabular(self.law**power, self.vocab, self.length, max(1, self.cost // 3))

    def marginals(self, x: Tensor) -> Tensor:
        """Log marginals of every position given the revealed ones, (B, L) -> (B, L, V) float64."""
        fits = ((x[:, None] == self.states) | (x[:, None] == self.mask)).all(-1)                 # (B, V**L)
        weight = fits * self.law                                                                 # (B, V**L)
        each = torch.nn.functional.one_hot(self.states, self.vocab).double()                     # (V**L, L, V)
        return torch.einsum("bs,slv->blv", weight, each).log()

    def draft(self, x: Tensor, at: Tensor | None = None, alive=None, clock=None) -> tuple[Tensor, Tensor]:
        logits = self.marginals(x)
        return logits if at is None else _take(logits, at), x

    def verify(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor, alive=None) -> Tensor:
        rank = order.argsort(1)                                                                  # (B, L)
        columns = []
        for r in at.unbind(1):                                                                   # (B,) one rank a row
            known = torch.where(rank < r[:, None], y, self.mask)
            columns.append(self.draft(known, order.gather(1, r.clamp_min(0)[:, None]))[0])
        return torch.cat(columns, 1)                                                             # (B, W, V)

    def begin(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        return torch.zeros_like(y[:, 0])    # nothing is kept

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        return self.blocks(kind) * length + heads

    def blocks(self, kind: str) -> int:
        return self.cost if kind == "draft" else 1


def _take(logits: Tensor, at: Tensor) -> Tensor:
    return logits.gather(1, at.clamp_min(0)[..., None].expand(-1, -1, logits.shape[-1]))
