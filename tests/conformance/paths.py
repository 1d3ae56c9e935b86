"""Laws of samplers that choose their own order, listed on the toys: each walks every state of the 81, by definitions of
its own.
"""

from collections import defaultdict
from itertools import product

import torch
from torch import Tensor

from harness.nets.iid import Iid
from harness.random import Stream, uniform
from tests.conformance.toys import MASK, STATES, D, V


class Rough:
    """Logits of their own in every state (V+1)**D: no joint has them, so every order has a law of its own, and no two
    places tie.
    """

    vocab, mask = V, MASK

    def __init__(self, seed: int = 2, spread: float = 5.0):
        u = uniform(seed, torch.arange((V + 1) ** D), Stream.DATA, torch.arange(D * V))
        self.table = spread * u.view(-1, D, V)                                     # (256, D, V) float64

    def draft(self, x: Tensor, at: Tensor | None = None, alive=None, clock=None) -> tuple[Tensor, Tensor]:
        logits = self.table[(x * (V + 1) ** torch.arange(D)).sum(1)]               # (B, D, V)
        return logits if at is None else logits.gather(1, at.clamp_min(0)[..., None].expand(-1, -1, V)), x


class Same(Iid):
    """One law at every position, whatever is revealed: every score ties. A FLOP is a logit vector."""

    def flops(self, kind, length, heads, tracks=0, begin=0):
        return heads


def same(*law: float) -> dict:
    return {"main": Same(torch.tensor(law, dtype=torch.float64))}


def named(value) -> str | None:
    """The id of a test: the sampler as it prints itself, and nothing of the functions beside it."""
    return str(value) if hasattr(value, "step") else None


def event_law(net, event) -> Tensor:
    """One token at a time. event(p (m, V) at the masked places, n) -> (m, V), the probability of revealing each token
    at each place. (81,)
    """
    mass = {(MASK,) * D: 1.0}
    for n in range(D):
        after, tables = defaultdict(float), net.draft(torch.tensor(list(mass)))[0].double().softmax(-1)
        for (x, weight), p in zip(mass.items(), tables):
            masked = [l for l in range(D) if x[l] == MASK]
            for l, row in zip(masked, event(p[masked], n).tolist()):
                for v, share in enumerate(row):
                    after[(*x[:l], v, *x[l + 1 :])] += weight * share
        mass = after
    return torch.tensor([mass[tuple(s)] for s in STATES.tolist()], dtype=torch.float64)


def group_law(net, choose) -> Tensor:
    """Groups at a time, tokens drawn from p. choose(masked places, [p (D, V) of each step so far, the last is now]) ->
    places to reveal. (81,)
    """
    x, law, seen = torch.full_like(STATES, MASK), torch.ones(len(STATES), dtype=torch.float64), []
    while bool((x == MASK).any()):
        seen.append(net.draft(x)[0].double().softmax(-1))                          # (81, D, V)
        now = x.clone()
        for s in (now == MASK).any(1).nonzero()[:, 0].tolist():
            masked = [l for l in range(D) if now[s, l] == MASK]
            for l in choose(masked, [p[s] for p in seen]):
                law[s] *= seen[-1][s, l, STATES[s, l]]
                x[s, l] = STATES[s, l]
    return law


def entropy(p: Tensor) -> float:
    return sum(-q * torch.tensor(q).log().item() for q in p.tolist() if q > 0)


SCORES = {
    "confidence": lambda p: max(p.tolist()),
    "margin": lambda p: sorted(p.tolist())[-1] - sorted(p.tolist())[-2],
    "entropy": lambda p: -entropy(p),
}


def surest(masked: list[int], p: Tensor, by: str) -> list[int]:
    return sorted(masked, key=lambda l: -SCORES[by](p[l]))


def by_score(name: str):
    """The surest place, its token from p."""
    def event(p, n):
        best = surest(list(range(len(p))), p, name)[0]
        return p * (torch.arange(len(p)) == best)[:, None]
    return event


def greedy(p: Tensor, n: int) -> Tensor:
    return (p == p.max()).double()


def in_any_order(p: Tensor, n: int) -> Tensor:
    return p / len(p)


def of_drawn(temperature: float, steps: int = D):
    """MaskGIT: every way to draw x0, and the place that wins by log p_l(x0_l) + T_n Gumbel; at T = 0 the largest."""
    def event(p, n):
        table, heat = torch.zeros_like(p), temperature * (1 - n / steps)
        for x0 in product(range(p.shape[1]), repeat=len(p)):
            q = p[torch.arange(len(p)), torch.tensor(x0)]                          # (m,)
            wins = torch.softmax(q.log() / heat, 0) if heat else (q == q.max()).double()
            table[torch.arange(len(p)), torch.tensor(x0)] += q.prod() * wins
        return table
    return event


def of_moments(temperature: float, steps: int = D):
    def event(p, n):
        power = p ** (1 + 1 / (temperature * (1 - n / steps)))
        return power / power.sum()
    return event
