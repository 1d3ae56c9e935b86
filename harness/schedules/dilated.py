"""An order in which tokens that come together stand far apart: each place is halfway between places that are written
already.

    time of place l = the bits of (l + s) mod L, read from the last to the first          s uniform in 0..L-1, one a row

With L = 8 and s = 0: 0 4 2 6 1 5 3 7. The sequence of van der Corput, that of Halton in one dimension and base 2, with
a random start. Dilated orders of text are of arXiv 2506.19037, Halton's for images of arXiv 2503.17076; the random
start is ours. It depends on no token, so that a sampler that is exact under every order is exact under this one; tokens
drawn side by side are nearly independent for as long as what binds them decays with their distance.

    >>> DILATED.times(torch.zeros(1, 8, dtype=torch.float64)).argsort(1).tolist()
    [[0, 4, 2, 6, 1, 5, 3, 7]]
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class Dilated:
    name: ClassVar[str] = "dilated"

    def times(self, u: Tensor) -> Tensor:
        """u (B, L) -> (B, L); the first uniform of a row gives its start."""
        length = u.shape[1]
        place = (torch.arange(length, device=u.device) + (u[:, :1] * length).long()) % length                  # (B, L)
        bits = (length - 1).bit_length()
        return sum(((place >> (bits - 1 - k) & 1) << k for k in range(bits)), torch.zeros_like(place)).to(u)   # (B, L)


DILATED = Dilated()
