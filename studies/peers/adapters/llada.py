"""LLaDA (arXiv 2502.09992), the repository ML-GSAI/LLaDA: `generate` of generate.py, in one block without a prompt.

Its network has no column for MASK. With remasking "random" each step writes as many tokens at random places, exact at a
token a step; with "low_confidence" it keeps the likeliest of the tokens that it drew. Ours of the same kind is ordered
unmasking, by chance or by the probability of the token drawn. Temperature 1, where it has a law; timed at its defaults,
temperature 0 and "low_confidence". Its Gumbel noise is float64.
"""

from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from baselines.ordered import Ordered
from harness.kinds import Denoiser
from harness.schedules.certainty import Random, TokenConfidence
from studies.peers.laws import Counts, Surest, even
from studies.peers.load import member, modules
from studies.peers.peer import Passes, Peer, Way

RANDOM, SUREST, GREEDY = "random", "low_confidence", "low_confidence, greedy"
LENGTH = 4    # of the small world


class Model:
    """What the loop takes for its network."""

    device = torch.device("cpu")

    def __init__(self, passes: Passes):
        self.passes = passes

    def __call__(self, x: Tensor, attention_mask: Tensor | None = None) -> SimpleNamespace:
        return SimpleNamespace(logits=self.passes(x))


def way(name: str, steps: int, length: int = LENGTH) -> Way:
    law = (Counts if name == RANDOM else Surest)(even(length, steps))
    by = Random() if name == RANDOM else TokenConfidence()
    return Way(name, steps, law, Ordered(steps, by=by, tokens="greedy" if name == GREEDY else "drawn"))


def network(net: Denoiser):
    """x (B, L) -> logits (B, L, V) float32."""
    return lambda x: net.draft(x)[0].float()


def load(folder: Path, name: str = "llada") -> Peer:
    (module,), digest = modules(folder, ("generate",), ("transformers",))
    generate = member(module, "generate")

    def run(passes: Passes, mask: int, n: int, length: int, way: Way) -> Tensor:
        return generate(Model(passes), torch.zeros(n, 0, dtype=torch.long), steps=way.steps, gen_length=length,
                        block_length=length, temperature=0.0 if way.name == GREEDY else 1.0,
                        remasking=RANDOM if way.name == RANDOM else SUREST, mask_id=mask)

    return Peer(name, digest, network, run, (way(RANDOM, 4), way(RANDOM, 2), way(SUREST, 2), way(SUREST, 4)),
                way(RANDOM, 1, 1), lambda length, steps: way(GREEDY, steps, length))
