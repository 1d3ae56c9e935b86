"""The passes of a run, written down, to be made once more without the sampler that asked for them."""

from collections.abc import Iterator

import torch
from torch import Tensor

from harness.kinds import Denoiser
from harness.nets.wrap import Wrapper


class Script(Wrapper):
    """A network that keeps its calls: ("draft", (x, at, alive, clock)) and ("verify", (rows of the last draft or None,
    what was promised of its passes or None, y, order, at, alive)).
    """

    def __init__(self, net: Denoiser):
        super().__init__(net)
        self.calls: list[tuple[str, tuple]] = []

    def draft(self, x, at=None, alive=None, clock=None):
        self.calls.append(("draft", (x, at, alive, clock)))
        return self.net.draft(x, at, alive, clock)

    def verify(self, hidden, y, order, at, alive=None):
        self.calls.append(("verify", (hidden.rows, getattr(hidden, "promised", None), y, order, at, alive)))
        return self.net.verify(hidden, y, order, at, alive)

    def played(self) -> Iterator[Tensor]:
        """The logits of each call, (B, W, V). A verify pass goes on from the draft pass that was played, so keys and
        values are kept between passes as in the run.
        """
        hidden = None
        for kind, (first, *others) in self.calls:
            if kind == "draft":
                logits, hidden = self.net.draft(first, *others)
                yield logits
            else:
                promised, *others = others
                if promised:
                    hidden.promise(*promised)
                yield self.net.verify(hidden if first is None else hidden[first], *others)

    @torch.inference_mode()
    def play(self) -> None:
        for _ in self.played():
            pass
