"""Networks that wrap networks and are one, so that any sampler takes them: Alive, Switch, Half, Temper.

From the inside out: the network, compiled or not, Half, Temper, Nucleus (harness/run/cell.py), then Alive and Metered
(harness/sampling/loop.py), which charges the calls that a sampler makes. Switch, and Relay of ssmd/relay.py, stand
outside of all of these, around two such networks, so that a light pass is charged as light.
"""

from typing import Any

import torch
from torch import Tensor

from harness.kinds import Denoiser, Placement


class Wrapper:
    """Passes everything on to `net`."""

    def __init__(self, net: Denoiser):
        self.net, self.vocab, self.mask = net, net.vocab, net.mask

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits (B, W, V) of a draft pass at places `at` (B, W) of x (B, L), and what a verify pass reads of it."""
        return self.net.draft(x, at, alive, clock)

    def verify(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        """Logits (B, W, V) at ranks `at` (B, W) of `order` (B, L), given the tokens of y (B, L) before each."""
        return self.net.verify(hidden, y, order, at, alive)

    def begin(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        """The first track that a verify pass computes, (B,); those before it are kept."""
        return self.net.begin(hidden, y, order, at)

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        """FLOPs of one row's pass (harness/nets/flops.py)."""
        return self.net.flops(kind, length, heads, tracks, begin)

    def blocks(self, kind: str) -> int:
        """Transformer blocks that a pass runs."""
        return self.net.blocks(kind)

    @property
    def one_pass_chain(self) -> bool:
        """Whether one draft pass over a filled text gives the law at every place, given those before it."""
        return getattr(self.net, "one_pass_chain", False)

    def span(self, at: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """Of a draft pass at these places the tokens that it would see and the first that was not kept, (B,) each, for
        a network that is billed so; None for one that runs whole rows.
        """
        return self.net.span(at) if at is not None and hasattr(self.net, "span") else None

    def tried(self, y: Tensor, order: Tensor, at: Tensor) -> None:
        """Says that draft passes of this network test the tokens that stand in y (B, L) at ranks `at` (B, W) of `order`
        (B, L); -1 pads. A ledger hears it.
        """
        if isinstance(self.net, Wrapper):
            self.net.tried(y, order, at)


def same_alphabet(heavy: Denoiser, light: Denoiser) -> None:
    """Raises ValueError, in a sentence, if two networks that write into one text write unlike symbols."""
    if light.vocab != heavy.vocab:
        raise ValueError(f"the light network writes {light.vocab} symbols and the heavy one {heavy.vocab}: train both "
                         "on the same alphabet")


def numbers(chosen: Tensor, many: int | None = None) -> Tensor:
    """The rows chosen (B,) bool by their numbers (R,), ascending. Where the host knows how `many` they are, it need not
    ask.
    """
    if many is None:
        return chosen.nonzero()[:, 0]
    return chosen.int().argsort(descending=True, stable=True)[:many]


def parted(light: Tensor, alive: Tensor | None, lights: int | None) -> tuple[Tensor, Tensor]:
    """The rows that are light (B,) bool and those that are not, of those alive (B,) bool, by their numbers. The host
    asks how many there are unless all are alive and it knows of `lights` of them.
    """
    if alive is not None:
        return numbers(light & alive), numbers(~light & alive)
    return numbers(light, lights), numbers(~light, None if lights is None else len(light) - lights)


def _take(tensor: Tensor | None, keep: Tensor) -> Tensor | None:
    return None if tensor is None else tensor[keep]


def _spread(tensor: Tensor, keep: Tensor, rows: int) -> Tensor:
    return tensor.new_zeros(rows, *tensor.shape[1:]).index_copy(0, keep, tensor)


class Alive(Wrapper):
    """Runs the network on the rows alive only, and spreads its answer back over the batch (zeros elsewhere). A device
    that is given their numbers need not ask for them; a verify pass there runs all rows, without asking which are
    alive.
    """

    def draft(self, x, at=None, alive=None, clock=None):
        """As the network's; zeros (B, W, V) where a row is not alive."""
        keep = None if alive is None else numbers(alive) if alive.dtype == torch.bool else alive           # (R,)
        if keep is None or len(keep) == len(x):
            return self.net.draft(x, at, None, clock)
        logits, hidden = self.net.draft(x[keep], _take(at, keep), None, _take(clock, keep))
        return _spread(logits, keep, len(x)), hidden.spread(keep, len(x)) if hasattr(hidden, "spread") else _spread(
            hidden, keep, len(x)
        )

    def verify(self, hidden, y, order, at, alive=None):
        """As the network's; zeros (B, W, V) where a row is not alive."""
        if alive is not None and y.device.type != "cpu":    # its few blocks cost less than the host's wait
            return self.net.verify(hidden, y, order, at.where(alive[:, None], -1))
        if alive is None or bool(alive.all()):
            return self.net.verify(hidden, y, order, at)
        keep = alive.nonzero()[:, 0]
        return _spread(self.net.verify(hidden[keep], y[keep], order[keep], at[keep]), keep, len(y))


class Switch(Wrapper):
    """Model scheduling as a network (arXiv 2604.02340): rows whose share of revealed tokens falls in the placement go
    to `light`.

    by "clock" the share is the expected one, the same for all rows (the published form); by "count" it is the row's
    own. `lights`: how many of the rows are light, if the host knows.
    """

    def __init__(self, heavy: Denoiser, light: Denoiser, placement: Placement, by: str, lights: int | None = None):
        super().__init__(heavy)
        same_alphabet(heavy, light)
        self.light, self.placement, self.by, self.lights = light, placement, by, lights

    def draft(self, x, at=None, alive=None, clock=None):
        """Of each row the light network's answer or the heavy one's."""
        share = clock if self.by == "clock" and clock is not None else (x != self.mask).double().mean(1)
        light = self.placement.light(share)                                        # (B,) bool
        sides = zip((self.light, self.net), parted(light, alive, self.lights))
        answers = [net.draft(x, at, rows, clock) for net, rows in sides if len(rows)]
        if len(answers) == 1:
            return answers[0]
        (a, _), (b, _) = answers
        return torch.where(light[:, None, None], a, b), x.new_empty(0)             # two networks share no hidden states

    def verify(self, hidden, y, order, at, alive=None):
        """Raises ValueError."""
        raise ValueError("a model schedule has no verify pass: give this sampler a hybrid network without a schedule")


class Half(Wrapper):
    """Passes in bfloat16 where autocast allows it; logits come back in float32, and draws stay in float64 as ever."""

    def draft(self, x, at=None, alive=None, clock=None):
        """As the network's, with logits as the class says."""
        with torch.autocast(x.device.type, torch.bfloat16):
            logits, hidden = self.net.draft(x, at, alive, clock)
        return logits.float(), hidden

    def verify(self, hidden, y, order, at, alive=None):
        """As the network's, with logits as the class says."""
        with torch.autocast(y.device.type, torch.bfloat16):
            return self.net.verify(hidden, y, order, at, alive).float()


class Temper(Wrapper):
    """Logits divided by a temperature, in draft and verify alike."""

    def __init__(self, net: Denoiser, temperature: float):
        super().__init__(net)
        self.temperature = temperature

    def draft(self, x, at=None, alive=None, clock=None):
        """As the network's, with logits as the class says."""
        logits, hidden = self.net.draft(x, at, alive, clock)
        return logits / self.temperature, hidden

    def verify(self, hidden, y, order, at, alive=None):
        """As the network's, with logits as the class says."""
        return self.net.verify(hidden, y, order, at, alive) / self.temperature
