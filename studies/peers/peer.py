"""What an adapter says of a peer. It has `load(folder) -> Peer`, and runs the peer's loop on a network of ours.

A peer's network is called as the peer's code calls it, and what it gives has the columns and the precision that the
code expects. `Passes` stands in its place, and can make the same calls again without the loop: the bare passes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.kinds import Denoiser, Sampler

ADAPTERS = Path(__file__).parent / "adapters"


class Way(NamedTuple):
    """One setting of a peer, and ours that is the same algorithm."""

    name: str
    steps: int
    law: Any             # Rates, Counts or Surest of studies/peers/laws.py
    ours: Sampler


class Passes:
    """The network as a peer calls it: `call` of its arguments, kept if asked."""

    def __init__(self, call: Callable[..., Tensor]):
        self.call, self.keeps = call, False
        self.kept: list[tuple] = []

    def __call__(self, *given: Any) -> Tensor:
        if self.keeps:    # a loop may write into its rows later
            self.kept.append(tuple(x.clone() if torch.is_tensor(x) else x for x in given))
        return self.call(*given)

    def play(self) -> None:
        for given in self.kept:
            self.call(*given)


@dataclass(frozen=True)
class Peer:
    """network(net): what stands for the peer's network, made of ours. run(passes, mask, n, length, way) -> rows
    (n, length).
    """

    name: str
    digest: str                                        # of the files that were loaded
    network: Callable[[Denoiser], Callable[..., Tensor]]
    run: Callable[[Passes, int, int, int, Way], Tensor]
    ways: tuple[Way, ...]                              # whose law is tested
    wide: Way                                          # in the world of many symbols, one place a row
    timed: Callable[[int, int], Way]                   # (length, steps) -> what is timed

    def sample(self, net: Denoiser, n: int, length: int, way: Way, seed: int, batch: int) -> Tensor:
        """n rows, a batch at a time; the peer draws from the generator of torch."""
        passes, found = Passes(self.network(net)), []
        torch.manual_seed(seed)
        with torch.inference_mode():
            for start in range(0, n, batch):
                x = self.run(passes, net.mask, min(batch, n - start), length, way)
                if not (torch.is_tensor(x) and x.shape == (min(batch, n - start), length)):
                    raise ValueError(f"the loop of {self.name} gave {getattr(x, 'shape', type(x).__name__)} and not "
                                     f"rows ({min(batch, n - start)}, {length}): correct its adapter")
                found.append(x)
        return torch.cat(found)


def loaded(name: str, folder: Path) -> Peer:
    """The peer behind NAME=PATH. Raises ValueError for what cannot be used."""
    known = (ADAPTERS / f"{name}.py").is_file()
    return import_module(f"studies.peers.adapters.{name if known else 'plain'}").load(folder, name)


def with_mask(logits: Tensor) -> Tensor:
    """A column more for MASK, the last: (B, L, V) -> (B, L, V + 1) float32."""
    return torch.nn.functional.pad(logits.float(), (0, 1))
