"""A network that knows a Markov chain: draft = exact marginals given what is revealed, verify = exact conditionals
along an order. With transitions T and the nearest revealed neighbours, u at distance a on the left and w at c on the
right,

    p(v) ~ T^a[u, v] T^c[v, w]

Without a left neighbour the stationary law stands for the first factor, without a right one there is no second.

    >>> from harness.data.markov import Markov
    >>> data = Markov(symbols=3, length=4)
    >>> net = Chain(data.transition(), data.stationary(), 4)
    >>> net.draft(torch.full((2, 4), 3))[0].shape
    torch.Size([2, 4, 3])
"""

import torch
from torch import Tensor

from harness.nets.tabular import Tabular

SETTLED = 1e-14    # between a power of T and its limit: further powers are the limit


def stationary_of(t: Tensor) -> Tensor:
    """pi = pi T of transitions (V, V), (V,)."""
    one = torch.eye(len(t), dtype=torch.float64, device=t.device)
    balance = t.T - one
    balance[-1] = 1  # one equation is redundant: the sum takes its place
    return torch.linalg.solve(balance, one[:, -1])


class Chain(Tabular):
    """transition (V, V), stationary (V,), float64."""

    name = "chain"

    def __init__(self, transition: Tensor, stationary: Tensor, length: int, cost: int = 6):
        self.vocab = self.mask = len(stationary)
        self.transition, self.stationary, self.length, self.cost = transition, stationary, length, cost
        powers = [torch.eye(self.vocab, dtype=torch.float64, device=transition.device)]
        while len(powers) <= length and (powers[-1] - stationary).abs().max() > SETTLED:
            powers.append(powers[-1] @ transition)
        self.powers = torch.stack([*powers, stationary.expand(self.vocab, -1)])    # (K + 1, V, V), the last the limit

    def flat(self, power: float = 0.5) -> "Chain":
        """Transitions raised to a power, normalised: a worse network of a third of the cost."""
        t = self.transition**power
        t = t / t.sum(1, keepdim=True)
        return Chain(t, stationary_of(t), self.length, max(1, self.cost // 3))

    def marginals(self, x: Tensor, at: Tensor | None = None) -> Tensor:
        """Log marginals, up to a constant of each place, at places (B, W) or at all, given the revealed ones,
        (B, L) -> (B, W, V) float64; at a revealed place that of its token.
        """
        length, places = x.shape[1], torch.arange(x.shape[1], device=x.device)
        known = x != self.mask                                                     # (B, L)
        left = torch.where(known, places, -1).cummax(1).values                     # (B, L) the nearest, itself included
        right = torch.where(known, places, length).flip(1).cummin(1).values.flip(1)
        at = places.expand_as(x) if at is None else at.clamp_min(0)
        u, w = left.gather(1, at), right.gather(1, at)                             # (B, W)
        first = self.powers[self._step(at - u), self._token(x, u)]                 # (B, W, V) T^a[u, .]
        second = self.powers.mT[self._step(w - at), self._token(x, w)]             # (B, W, V) T^c[., w]
        law = torch.where((u < 0)[..., None], self.stationary, first) * torch.where((w == length)[..., None], 1.0,
                                                                                    second)
        return law.log()

    def _step(self, k: Tensor) -> Tensor:
        return k.clamp_max(len(self.powers) - 1)

    def _token(self, x: Tensor, place: Tensor) -> Tensor:
        return x.gather(1, place.clamp(0, x.shape[1] - 1)).clamp_max(self.vocab - 1)

    def draft(self, x: Tensor, at: Tensor | None = None, alive=None, clock=None) -> tuple[Tensor, Tensor]:
        return self.marginals(x, at), x
