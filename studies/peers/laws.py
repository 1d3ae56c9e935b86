"""The exact law of samplers that fill masks in N steps, at that N, in a world that can be listed.

    Rates     step n reveals each masked position with a chance of its own: ancestral sampling (MDLM, SEDD)
    Counts    step n reveals k_n masked positions, each set as likely as any other (LLaDA, remasking "random")
    Surest    step n draws a token for each, keeps the k_n likeliest (LLaDA, remasking "low_confidence")

A text with masks is a state, (V + 1)**L of them, and a step is a matrix of chances from state to state, so the law is
exact: a peer is tested against its own algorithm, whose factorised steps are no fault of its code.

    >>> law = Counts((1, 1, 1, 1)).of(Tabular(DATA.law(), DATA.vocab, DATA.length))    # a token a step: the data's law
    >>> bool((law - DATA.law()).abs().max() < 1e-12)
    True
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import comb

import torch
from torch import Tensor

from harness.data.exact import Exact
from harness.nets.tabular import Tabular

DATA = Exact()


def _states(net: Tabular) -> Tensor:
    """Every text with masks, (S, L); the last is all masks."""
    return torch.cartesian_prod(*[torch.arange(net.vocab + 1)] * net.length)


@lru_cache(maxsize=4)
def _moves(net: Tabular) -> tuple[Tensor, Tensor, Tensor]:
    """From each state to each: product of p over the tokens written (S, S), 0 where a token would change; how many are
    written (S, S); how many masks stood before (S,).
    """
    s = _states(net)                                                               # (S, L)
    p = net.marginals(s).softmax(-1)                                               # (S, L, V)
    masked, filled = s == net.mask, s != net.mask
    new = masked[:, None] & filled                                                 # (S, S, L)
    each = p[:, torch.arange(net.length), s.clamp_max(net.vocab - 1)]              # (S, S, L)
    extends = ((s[:, None] == s) | masked[:, None]).all(-1)                        # (S, S)
    return torch.where(new, each, 1.0).prod(-1) * extends, new.sum(-1).double(), masked.sum(-1).double()


def _run(net: Tabular, steps: list[Tensor]) -> Tensor:
    """(V**L,) the law of whole texts after these steps (S, S) from all masks."""
    s = _states(net)
    now = torch.zeros(len(s), dtype=torch.float64)                                 # (S,)
    now[-1] = 1
    for step in steps:
        now = now @ step
    whole = (s != net.mask).all(1)                                                 # in the order of net.states
    assert abs(float(now[whole].sum()) - 1) < 1e-9, "steps must write every token"
    return now[whole]


@dataclass(frozen=True)
class Rates:
    """levels: the share that is expected to be written after each step, ascending to 1."""

    levels: tuple[float, ...]

    def of(self, net: Tabular) -> Tensor:
        weight, written, masks = _moves(net)
        steps, before = [], 0.0
        for level in self.levels:
            r = (level - before) / (1 - before)
            left = (masks[:, None] - written).clamp_min(0)                         # (S, S)
            steps.append(weight * r**written * (1 - r) ** left)
            before = level
        return _run(net, steps)


@dataclass(frozen=True)
class Counts:
    """counts: tokens of each step."""

    counts: tuple[int, ...]

    def of(self, net: Tabular) -> Tensor:
        weight, written, masks = _moves(net)
        steps = []
        for k in self.counts:
            sets = torch.tensor([comb(int(m), min(k, int(m))) for m in masks], dtype=torch.float64)
            steps.append(weight * (written == masks.clamp_max(k)[:, None]) / sets[:, None])
        return _run(net, steps)


@dataclass(frozen=True)
class Surest:
    """counts: tokens of each step; tokens are drawn, and the likeliest of them stay."""

    counts: tuple[int, ...]

    def of(self, net: Tabular) -> Tensor:
        return _run(net, [_surest(net, k) for k in self.counts])


@lru_cache(maxsize=8)
def _surest(net: Tabular, k: int) -> Tensor:
    s = _states(net)
    p = net.marginals(s).softmax(-1)                                               # (S, L, V)
    place = (net.vocab + 1) ** torch.arange(net.length - 1, -1, -1)                # of a state's number
    step = torch.zeros(len(s), len(s), dtype=torch.float64)
    for i, (row, chances) in enumerate(zip(s, p)):
        at = (row == net.mask).nonzero()[:, 0].tolist()
        for tokens in product(range(net.vocab), repeat=len(at)):
            chance = [float(chances[l, v]) for l, v in zip(at, tokens)]
            kept, weight = row.clone(), 1.0
            for c in chance:
                weight *= c
            for j in sorted(range(len(at)), key=lambda j: -chance[j])[:k]:
                kept[at[j]] = tokens[j]
            step[i, int((kept * place).sum())] += weight
    return step


def even(length: int, steps: int) -> tuple[int, ...]:
    """length tokens over the steps, the first with one more where they do not divide."""
    base, more = divmod(length, steps)
    return tuple(base + (k < more) for k in range(steps))


def uniform_levels(steps: int) -> tuple[float, ...]:
    return tuple((k + 1) / steps for k in range(steps))
