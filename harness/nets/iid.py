"""A network that knows the law of independent tokens: the same logits at every position, whatever is revealed. Float64.

`Known(data)` is its place in a study, for data with `law()` (V,).

    >>> import torch
    >>> from harness.data.zipf import Zipf
    >>> net = Known(Zipf(symbols=5, length=4)).load("cpu")
    >>> net.draft(torch.full((2, 4), 5), at=torch.tensor([[0], [3]]))[0].shape
    torch.Size([2, 1, 5])
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from torch import Tensor

from harness.spec import sha256


class Iid:
    """law (V,) float64. One block a pass and one FLOP a logit, so that costs have a unit."""

    name = "iid"
    card: dict[str, Any]
    sha256: str

    def __init__(self, law: Tensor):
        self.vocab = self.mask = len(law)
        self.logits = law.log()                                                    # (V,)

    def draft(self, x: Tensor, at: Tensor | None = None, alive=None, clock=None) -> tuple[Tensor, Tensor]:
        return self.logits.expand(*(x if at is None else at).shape, -1), x         # (B, W, V)

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        return heads * self.vocab

    def blocks(self, kind: str) -> int:
        return int(kind == "draft")


@dataclass(frozen=True)
class Known:
    """The exact law of a data set of independent tokens as a network of a study. `data` has `law()`, (V,)."""

    data: Any

    def load(self, device: str) -> Iid:
        """The network on the device; calls with one data set share it."""
        return _loaded(self, device)


@lru_cache(maxsize=4)
def _loaded(known: Known, device: str) -> Iid:
    net = Iid(known.data.law().to(device))
    net.card = {"data": known.data.identity()}
    net.sha256 = sha256(net.card)
    return net
