"""Bits per character on held-out text: the hybrid under its own recursion, masked diffusion under its bound
(ssmd/likelihood.py).

    hybrid     - log2 p(x | window, N) / L, a bound over K orders: exact for each order, tighter with more of them
    masked     - E over orders of the masked-diffusion bound / (L ln 2)

Both are upper bounds on the model's bits per character; the sampler whose law is scored is named, since order and
window belong to the law.
"""

from math import log

import torch
from torch import Tensor

from harness.kinds import Dataset, Denoiser, Window
from harness.random import Stream, permutation
from harness.stats.intervals import Interval, ratio_interval
from ssmd.likelihood import masked_bound, over_orders, recursion, tables


def bits_per_character(net: Denoiser, data: Dataset, n: int, orders: int, window: Window | None = None, rounds: int = 1,
                       seed: int = 0, device: str = "cpu",
                       say=lambda done, of: None) -> tuple[Interval, Tensor]:
    """Score n test rows with `orders` orders each; without a window the masked-diffusion bound. The network is on
    `device`. The interval, and bits by row (n,) on the CPU.
    """
    x = data.rows("test", n, seed)
    found = []                                                                     # (orders, n) log likelihoods
    for k in range(orders):
        order = permutation(seed, torch.arange(n) + k * n, Stream.ORDER, data.length)
        each = []
        for part in torch.arange(n).split(4):
            logp, logq = tables(net, x[part].to(device), order[part].to(device), causal=window is not None)
            law = masked_bound(logp) if window is None or logq is None else recursion(logp, logq, window, rounds)
            each.append(law.cpu())                                                 # (4,)
            say(k * n + int(part[-1]) + 1, orders * n)
        found.append(torch.cat(each))
    total = torch.stack(found)
    value = total.mean(0) if window is None else over_orders(total)                # (n,)
    bits = -value / log(2)
    return ratio_interval(bits.tolist(), [data.length] * n), bits / data.length
