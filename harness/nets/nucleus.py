"""Nucleus sampling (top-p, arXiv 1904.09751) as a network around a network, in draft and verify alike: the improbable
end of each law is cut off.

    tokens by falling probability, the lower id first among equals;
    c_v = sum of the probabilities down to v, v included
    "crossing"    keeps v while the sum before it is < p:   the token with which the sum crosses p is kept, as most code
                  does
    "below"       keeps v while c_v <= p:                   that token is dropped, as in the code of ReMDM (arXiv
                  2503.00307); the first is always kept

Sums are float64; a token that is dropped has logit -inf, and the others keep theirs. p = 1 hands the logits on as they
are.

    >>> cut(torch.tensor([0.5, 0.3, 0.2]).log(), 0.6, "crossing").exp()
    tensor([0.5000, 0.3000, 0.0000])
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.kinds import Denoiser
from harness.nets.wrap import Wrapper

RULES = ("crossing", "below")


def cut(logits: Tensor, p: float, keep: str) -> Tensor:
    """Logits (..., V), -inf where the token is outside the nucleus."""
    if p == 1:
        return logits
    falling, token = torch.softmax(logits.double(), -1).sort(dim=-1, descending=True, stable=True)    # (..., V)
    total = falling.cumsum(-1)
    kept = F.pad(total, (1, -1)) < p if keep == "crossing" else total <= p
    kept[..., 0] = True
    return logits.masked_fill(~kept.scatter(-1, token, kept), float("-inf"))


class Nucleus(Wrapper):
    """The network with its laws cut to their nucleus of mass p. Raises ValueError for a p outside (0, 1], or an unknown
    rule.
    """

    def __init__(self, net: Denoiser, p: float, keep: str = "crossing"):
        super().__init__(net)
        refused = wrong(p, keep)
        if refused:
            raise ValueError(refused)
        self.p, self.keep = p, keep

    def draft(self, x, at=None, alive=None, clock=None):
        """As the network's, with logits (B, W, V) of -inf outside the nucleus."""
        logits, hidden = self.net.draft(x, at, alive, clock)
        return cut(logits, self.p, self.keep), hidden

    def verify(self, hidden, y, order, at, alive=None):
        """As the network's, with logits (B, W, V) of -inf outside the nucleus."""
        return cut(self.net.verify(hidden, y, order, at, alive), self.p, self.keep)


def wrong(p: float, keep: str) -> str:
    """Why there is no such nucleus, in a sentence, or nothing."""
    if not 0 < p <= 1:
        return f"nucleus={p} must be above 0 and at most 1"
    return "" if keep in RULES else f"nucleus_keep={keep!r} is not allowed; choose {' | '.join(RULES)}"
