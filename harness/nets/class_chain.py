"""A network that knows a Markov chain of low rank, T = A B (harness/data/class_chain.py): draft = exact marginals given
what is revealed, verify = exact conditionals along an order. With M = B A, u the nearest revealed symbol on the left at
distance a and w on the right at distance c,

    p(v) ~ T^a[u, v] T^c[v, w] = (A[u] M^(a-1) B[., v]) (A[v, .] M^(c-1) B[., w])

Both factors are messages of C numbers that one step along the row carries on by M: a pass takes L C^2 operations for
these, and C V a place that is asked for. Without a left neighbour the stationary law stands for the first factor,
without a right one there is no second.
"""

import torch
from torch import Tensor

from harness.nets.chain import stationary_of
from harness.nets.tabular import Tabular


class ClassChainOracle(Tabular):
    """a (V, C), b (C, V), float64, rows sum to one."""

    name = "class_chain_oracle"

    def __init__(self, a: Tensor, b: Tensor, length: int, cost: int = 6):
        self.vocab = self.mask = len(a)
        self.a, self.b, self.step, self.length, self.cost = a, b, b @ a, length, cost
        self.rest = stationary_of(self.step)                                       # (C,) of the classes

    def flat(self, power: float = 0.5) -> "ClassChainOracle":
        """Both factors raised to a power, normalised: a worse network of a third of the cost."""
        a, b = (t**power / (t**power).sum(1, keepdim=True) for t in (self.a, self.b))
        return ClassChainOracle(a, b, self.length, max(1, self.cost // 3))

    def marginals(self, x: Tensor, at: Tensor | None = None) -> Tensor:
        """Log marginals, up to a constant of each place, at places (B, W) or at all, given the revealed ones,
        (B, L) -> (B, W, V) float64; at a revealed place that of its token.
        """
        at = torch.arange(x.shape[1], device=x.device).expand_as(x) if at is None else at.clamp_min(0)
        places = at[..., None].expand(-1, -1, len(self.rest))
        before, behind = (message.gather(1, places) for message in self._messages(x))                # (B, W, C) each
        law = (before @ self.b).mul_(behind @ self.a.T).log_()                     # (B, W, V)
        token = x.gather(1, at)                                                    # (B, W)
        row, column = (token != self.mask).nonzero().unbind(1)                     # places that are revealed
        law[row, column] = -torch.inf
        law[row, column, token[row, column]] = 0
        return law

    def _messages(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What each place hears from its left and from its right, without itself, (B, L, C) each."""
        known = (x != self.mask)[..., None]                                        # (B, L, 1)
        token = x.clamp_max(self.vocab - 1)
        left, right = [self.rest.expand(len(x), -1)], [torch.ones_like(self.rest).expand(len(x), -1)]
        for i in range(x.shape[1] - 1):
            j = x.shape[1] - 1 - i
            left.append(torch.where(known[:, i], self.a[token[:, i]], left[-1] @ self.step))
            right.append(torch.where(known[:, j], self.b.T[token[:, j]], right[-1] @ self.step.T))
        return torch.stack(left, 1), torch.stack(right[::-1], 1)

    def draft(self, x: Tensor, at: Tensor | None = None, alive=None, clock=None) -> tuple[Tensor, Tensor]:
        return self.marginals(x, at), x

    def verify(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor, alive=None) -> Tensor:
        rank = order.argsort(1)[:, None]                                           # (B, 1, L)
        known = torch.where(rank < at[..., None], y[:, None], self.mask)           # (B, W, L) one state a rank
        place = order.gather(1, at.clamp_min(0)).flatten()[:, None]                # (B W, 1)
        return self.marginals(known.flatten(0, 1), place).view(*at.shape, -1)      # (B, W, V)
