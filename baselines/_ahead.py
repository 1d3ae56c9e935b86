"""Steps drawn ahead: where the chance of an event in each step depends on no token, one uniform says in which step it
comes.

    hazard H_k = - sum_{j<k} ln(1 - chance_j)
    from step m on, the event comes in the step k with   H_k <= H_m - ln(1 - u) < H_{k+1}

A sampler that knows the next event of every position goes straight to the next step in which a row needs its network.

    >>> from baselines._ahead import hazards, next_step
    >>> levels, u = (torch.tensor(x, dtype=torch.float64) for x in ([0.5, 0.0, 1.0], [[0.4, 0.6, 0.1]]))
    >>> next_step(hazards(levels), torch.tensor([[0, 0, 1]]), u)
    tensor([[0, 2, 2]])
"""

import torch
from torch import Tensor

CERTAIN = 64.0    # above - ln(1 - u) of every uniform


def hazards(chances: Tensor) -> Tensor:
    """H at the starts of the steps and at the end, (K+1,) from the chance of each step (K,)."""
    each = -torch.log1p(-chances)
    return torch.cat((each.new_zeros(1), each.clamp_max(CERTAIN).cumsum(0)))


def next_step(hazard: Tensor, start: Tensor, u: Tensor) -> Tensor:
    """The step, `start` or later, in which the event comes, K if in none; start and u of one shape."""
    return torch.searchsorted(hazard, hazard[start] - torch.log1p(-u), right=True) - 1
