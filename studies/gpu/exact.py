"""Whether a device draws what a CPU draws, to the bit: every function of harness/random.py on the same numbers.

Draws of whole numbers and uniforms are integer arithmetic: none may differ. Probabilities hang on exp and on the order
of sums, and tokens drawn by them on a probability near an edge.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from harness import random
from harness.fused.philox import philox4x32
from harness.random import LARGE, Stream
from studies.gpu.plan import Ask

SEED, STREAM = 2**40 + 7, Stream.TOKEN    # both words of the key matter


def cases(n: int, few: int, vocab: int) -> dict[str, Callable[[str], tuple[Tensor, ...]]]:
    """Function of harness/random.py -> what it gives on a device: n rows of 27 symbols, few rows of `vocab`."""
    made = torch.Generator().manual_seed(0)
    logits, wide = torch.randn(n, 27, generator=made) * 3, torch.randn(few, vocab, generator=made) * 3
    p, q = (torch.rand(n, 27, generator=made, dtype=torch.float64) for _ in range(2))
    u, token = torch.rand(n, generator=made, dtype=torch.float64), torch.randint(27, (n,), generator=made)

    def numbers(device: str) -> tuple[Tensor, Tensor]:
        return torch.arange(n, device=device) + 2**31, torch.arange(16, device=device) + 2**40

    def philox(device: str) -> tuple[Tensor, ...]:
        row, index = numbers(device)
        return philox4x32((row, row * 3 % 2**32, row, torch.full_like(row, int(index[0]) % 2**32)), (7, 2**31))

    return {
        "philox4x32": philox,
        "uniform": lambda d: (random.uniform(SEED, numbers(d)[0], STREAM, numbers(d)[1]),),
        "uniforms": lambda d: (random.uniforms(SEED, *[numbers(d)[0]] * 2, numbers(d)[1].expand(n, -1), 64,
                                               (STREAM, Stream.ACCEPT), (1, 3), 2, 64),),
        "permutation": lambda d: (random.permutation(SEED, numbers(d)[0], STREAM, 64),),
        "integers": lambda d: (random.integers(SEED, numbers(d)[0], STREAM, numbers(d)[1], 1_000_003),),
        "categorical": lambda d: (random.categorical(p.to(d), u.to(d)),),
        "residual": lambda d: (random.residual(p.to(d), q.to(d), u.to(d)),),
        "from_logits": lambda d: random.from_logits(logits.to(d), u.to(d)),
        "from_logits, many symbols": lambda d: random.from_logits(wide.to(d), u[:few].to(d)),
        "probability_of": lambda d: (random.probability_of(token.to(d), logits.to(d)),),
        "probability_of, many symbols": lambda d: (random.probability_of(token[:few].to(d), wide.to(d)),),
    }


def draws(ask: Ask) -> Iterator[dict[str, Any]]:
    for name, call in cases(ask.of(2**16, 64), ask.of(256, 4), ask.of(50_257, LARGE + 8)).items():
        for here, there in zip(call("cpu"), call(ask.device)):
            there, kind = there.cpu(), "numbers" if here.is_floating_point() else "integers"
            row = {"what": name, "kind_of": kind, "numbers": here.numel(), "differ": int((here != there).sum())}
            if kind == "numbers":    # probabilities hang on exp and on the order of sums
                row["largest_relative"] = float(((here - there).abs() / here.abs().clamp_min(1e-300)).max())
            yield row
