"""A network whose logits are looked at before a sampler draws from them: a law needs finite numbers, and -inf only for
tokens that are never drawn.

NaN, +inf, and a place where every token is -inf end the cell, whatever the sampler would have made of them: an argmax
of NaN is token 0. Places that only pad (`at` = -1) are free. The counted run looks; the timed runs, which must write
the same rows, do not.
"""

from typing import Any

from torch import Tensor

from harness.kinds import Denoiser
from harness.nets.wrap import Wrapper


class Finite(Wrapper):
    """`name` is for the message. Raises ValueError where a law is none."""

    def __init__(self, net: Denoiser, name: str):
        super().__init__(net)
        self.name, self.passes = name, {"draft": 0, "verify": 0}

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Any]:
        logits, hidden = self.net.draft(x, at, alive, clock)
        self._look("draft", logits, at)
        return logits, hidden

    def verify(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        logits = self.net.verify(hidden, y, order, at, alive)
        self._look("verify", logits, at)
        return logits

    def _look(self, kind: str, logits: Tensor, at: Tensor | None) -> None:
        self.passes[kind] += 1
        highest = logits.amax(-1)  # (B, W): NaN if any is, inf if any is, -inf if all are
        lawful = highest.isfinite()
        if bool(lawful.all()) or at is not None and bool((lawful | (at < 0)).all()):
            return
        bad = highest[~lawful if at is None else ~lawful & (at >= 0)]
        what = "NaN" if bool(bad.isnan().any()) else "+inf" if bool((bad > 0).any()) else "-inf for every token"
        raise ValueError(f"the network {self.name} gave {what} at {len(bad)} of {highest.numel()} places of its "
                         f"{kind} pass number {self.passes[kind]}, and no token can be "
                         "drawn from that: correct the network or its weights, try it in float32, or raise the "
                         "temperature")
