"""A network that knows a law over a list of states: draft = exact marginals given what is revealed, verify = exact
conditionals along an order. It generalises the table of all V**L sequences to worlds in which few of them are legal.

A text that fits no state, which a biased sampler can write, has no conditional: there the marginals of the whole law
stand, so that it can be finished, and be counted as wrong.

    >>> net = Listed(torch.tensor([[0, 1], [1, 0]]), torch.tensor([0.5, 0.5]), vocab=2)
    >>> net.draft(torch.tensor([[0, 2]]))[0].exp()[0, 1].tolist()
    [0.0, 1.0]
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.nets.tabular import Tabular

ROOM = 1 << 24    # entries of a comparison of rows with states


class Listed(Tabular):
    """states (S, L), each once; law (S,) float64."""

    name = "listed"

    def __init__(self, states: Tensor, law: Tensor, vocab: int, cost: int = 6):
        self.vocab, self.mask, self.length, self.cost = vocab, vocab, states.shape[1], cost
        self.law, self.states = law / law.sum(), states
        self.shown = F.one_hot(states, vocab).flatten(1).float()                   # (S, L V)
        self.each = self.law.to(torch.float64) @ self.shown.double()               # (L V,) marginals of the whole law

    def flat(self, power: float = 0.5) -> "Listed":
        return Listed(self.states, self.law**power, self.vocab, max(1, self.cost // 3))

    def marginals(self, x: Tensor) -> Tensor:
        """Log marginals of every position given the revealed ones, (B, L) -> (B, L, V) float64."""
        some = max(1, ROOM // len(self.states))
        return torch.cat([self._marginals(rows) for rows in x.split(some)])

    def _marginals(self, x: Tensor) -> Tensor:
        known = x != self.mask                                                                   # (B, L)
        shown = F.one_hot(x, self.vocab + 1)[..., : self.vocab].flatten(1).float()               # (B, L V)
        fits = shown @ self.shown.T == known.sum(1)[:, None]                                     # (B, S)
        weight = fits * self.law                                                                 # (B, S)
        found = weight @ self.shown.double()                                                     # (B, L V)
        found = torch.where(weight.sum(1, keepdim=True) > 0, found, self.each)
        return found.view(len(x), self.length, self.vocab).log()
