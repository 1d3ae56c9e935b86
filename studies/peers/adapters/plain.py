"""Any other peer: a folder with loop.py, in which

    sample(logits, x, mask, steps) -> rows    x (n, L) all masks; logits(x) -> (n, L, V); rows (n, L)

is ancestral sampling in `steps` equal steps of time: at each, a masked position is revealed with chance (t - s) / t,
and its token drawn from the softmax of its logits. A peer of another kind needs an adapter of its own beside this file.
"""

from pathlib import Path

import torch
from torch import Tensor

from baselines.ancestral import Ancestral
from studies.peers.laws import Rates, uniform_levels
from studies.peers.load import member, modules
from studies.peers.peer import Passes, Peer, Way


def way(steps: int) -> Way:
    return Way("sample", steps, Rates(uniform_levels(steps)), Ancestral(steps))


def load(folder: Path, name: str) -> Peer:
    (module,), digest = modules(folder, ("loop",))
    sample = member(module, "sample")

    def run(passes: Passes, mask: int, n: int, length: int, way: Way) -> Tensor:
        return sample(passes, torch.full((n, length), mask), mask, way.steps)

    return Peer(name, digest, lambda net: lambda x: net.draft(x)[0].float(), run, (way(2), way(8)), way(1000),
                lambda length, steps: way(steps))
