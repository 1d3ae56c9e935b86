"""Samplers as Markov chains over texts with masks, small enough to be multiplied out: the law of a method without a
draw.

A step is given by its moves: what each place holds after it, independently of the others, for each of the (V+1)**L
states.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot


class World(NamedTuple):
    states: Tensor    # (S, L), MASK is V; the last is all masked
    p: Tensor         # (S, L, V) the network's answer to each


def world(net, length: int) -> World:
    states = torch.cartesian_prod(*[torch.arange(net.vocab + 1)] * length).view(-1, length)
    # a table has no answer at the places that are known
    return World(states, net.draft(states)[0].double().softmax(-1).nan_to_num(0))


def empty(w: World) -> Tensor:
    """The law of a text that is all masked, (S,)."""
    return one_hot(torch.tensor(len(w.states) - 1), len(w.states)).double()


def moves(w: World, reveal: float | Tensor, forget: float | Tensor = 0.0, p: Tensor | None = None) -> Tensor:
    """(..., S, L, V+1): a masked place takes a token of law p with probability `reveal`; what is written is masked with
    probability `forget`.
    """
    p = w.p if p is None else p                                                    # (..., S, L, V)
    mask = w.p.shape[-1]
    reveal = torch.as_tensor(reveal, dtype=torch.float64).expand(*p.shape[:-1], 1)
    lost = one_hot(torch.tensor(mask), mask + 1)
    return torch.where((w.states == mask)[..., None], torch.cat((reveal * p, 1 - reveal), -1),
                       (1 - forget) * one_hot(w.states, mask + 1) + forget * lost)


def kernel(w: World, moves: Tensor) -> Tensor:
    """Transition probabilities (..., S, S)."""
    return torch.stack([moves[..., l, :][..., w.states[:, l]] for l in range(w.states.shape[1])]).prod(0)


def texts(w: World, law: Tensor) -> Tensor:
    """A law of states, none of them with a mask, as a law of the V**L texts."""
    full = (w.states != w.p.shape[-1]).all(1)
    assert abs(law[full].sum() - 1) < 1e-9, "masks are left"
    return law[full]


def apart(a: Tensor, b: Tensor) -> float:
    """Total variation between two laws."""
    return 0.5 * float((a - b).abs().sum())


def slope(x: list[float], y: list[float]) -> float:
    """Of ln y against ln x, by least squares."""
    x, y = (torch.tensor(v, dtype=torch.float64).log() for v in (x, y))
    return float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
