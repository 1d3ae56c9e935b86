"""One probe sampled: a digest of its tokens, and one of all that its ledger counted."""

import hashlib
from typing import NamedTuple

import torch
from torch import Tensor

from harness.kinds import Denoiser
from harness.nets.wrap import Wrapper
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from tests.golden.cells import Probe
from tests.golden.toys import BATCH, IDS, ROWS, changed, prompts, toy

MOST = 660    # calls of a network; the longest probe makes a tenth of them


class Seen(NamedTuple):
    tokens: str    # 8 bytes of blake2b, as hexadecimal digits
    counts: str


class Watched(Wrapper):
    """A network whose calls are limited, and whose logits are multiplied by 1 + noise u, u between -1 and 1."""

    def __init__(self, net: Denoiser, noise: float):
        super().__init__(net)
        self.noise, self.calls, self.draws = noise, 0, torch.Generator().manual_seed(0)

    def draft(self, x, at=None, alive=None, clock=None):
        logits, hidden = self.net.draft(x, at, alive, clock)
        return self._noisy(logits), hidden

    def verify(self, hidden, y, order, at, alive=None):
        return self._noisy(self.net.verify(hidden, y, order, at, alive))

    def _noisy(self, logits: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > MOST:
            raise RuntimeError(f"more than {MOST} calls of a network: a probe does not end")
        if not self.noise:
            return logits
        u = torch.rand(logits.shape, generator=self.draws, dtype=torch.float64) * 2 - 1
        return logits * (1 + self.noise * u).to(logits.dtype)


def drawn(probe: Probe, noise: float = 0.0) -> Seen:
    """Raises what the sampler raises, and RuntimeError for one that does not end."""
    bare = toy(probe.net)
    nets = {role: changed(Watched(net, noise), probe.change) for role, net in bare.items()}
    x = prompts(bare["main"], probe.every)
    ledger = Ledger(ROWS, x.shape[1], bare["main"].mask)
    return Seen(digest(sample(probe.sampler, nets, x, probe.seed, BATCH, IDS, ledger)), digest(*counted(ledger)))


def counted(ledger: Ledger) -> list[Tensor | str]:
    """All that a ledger counts: by row, by tenth or depth, and for the whole run."""
    whole = torch.tensor([ledger.executed_flops, ledger.executed_blocks])
    tables = [table[key] for table in (ledger.tested, ledger.passed) for key in sorted(table)]
    calls = [part for name in sorted(ledger.calls) for part in (name, ledger.calls[name])]
    return [ledger.tokens, ledger.blocks, ledger.drafts, ledger.flops, *calls, ledger.revealed, *tables, whole]


def digest(*parts: Tensor | str) -> str:
    """Of names and of integers, whatever the machine's order of bytes."""
    found = hashlib.blake2b(digest_size=8)
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else part.numpy().astype("<i8").tobytes())
    return found.hexdigest()
