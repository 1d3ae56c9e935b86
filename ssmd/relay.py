"""The self-speculative sampler inside a model schedule: a light hybrid drafts and verifies some parts of the text, the
heavy one the rest (a combination of ours).

    at each draft pass:   network = light if placement.light(share written) else heavy;   its verify rounds are its own

Model scheduling (arXiv 2604.02340) with self-speculation (arXiv 2510.03929) as the host. The law is a mixture of the
two networks' causal targets: exact if both come from one joint, and not otherwise. Cost: passes of each, charged as
what they are.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from harness.kinds import Denoiser, Placement, Rows
from harness.nets.wrap import Wrapper, parted, same_alphabet
from harness.param import Choice, check, param
from harness.schedules.placement import Interleaved, Middle, Prefix, Random, Sandwich, Segments, Suffix
from ssmd.sampler import SelfSpeculative


@dataclass(frozen=True)
class Relayed:
    """Self-speculative sampling by two networks: at each draft pass `placement` says by the share of the row that is
    written whether `light` or `main` drafts, and the same network verifies (a combination of ours). Both need a verify
    pass. The law is a mixture of two, so that there is no exact limit. Raises ValueError if the two write unlike
    symbols.
    """

    host: SelfSpeculative = param(SelfSpeculative(), Choice(SelfSpeculative()))
    placement: Sandwich | Middle | Prefix | Suffix | Interleaved | Random | Segments = param(
        Sandwich(), Choice(Sandwich(), Middle(), Prefix(), Suffix(), Interleaved(), Random(), Segments()))

    name: ClassVar[str] = "ssmd_relayed"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main.verify", "light.verify")

    def __post_init__(self):
        check(self)

    def exact(self) -> None:
        """None: two networks that differ have no one law."""

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return self.host.start(nets, rows)

    def ahead(self, nets, rows: Rows) -> Tensor:
        """What the host's round needs to know, and whether it is light, (K + 1, B)."""
        light = self.placement.light((rows.x != nets["main"].mask).double().mean(1))                       # (B,) bool
        return torch.cat((self.host.ahead(nets, rows), light[None]))

    def step(self, nets, rows: Rows) -> Rows:
        lights = int(rows.known[-1].sum()) if rows.ahead else None
        return self.host.step({"main": Relay(nets["main"], nets["light"], self.placement, lights)}, rows)


class Shared(NamedTuple):
    """The hidden states of one draft pass that two networks shared by rows."""

    light: Tensor     # (B,) rows that the light network drafted
    states: tuple     # of the light network, of the heavy one; None where it had no rows

    def promise(self, width: int, longest: int) -> None:
        """Both networks' states are told how many ranks the verify passes to come ask for, and how far they reach."""
        for states in self.states:
            if hasattr(states, "promise"):
                states.promise(width, longest)


class Relay(Wrapper):
    """Rows whose share of revealed tokens falls in the placement go to `light`, for the draft pass and for the verify
    passes on it. `lights`: how many of the rows are light, if the host knows, which then asks for no others.
    """

    def __init__(self, heavy: Denoiser, light: Denoiser, placement: Placement, lights: int | None = None):
        super().__init__(heavy)
        same_alphabet(heavy, light)
        self.light, self.placement, self.lights = light, placement, lights

    def draft(self, x, at=None, alive=None, clock=None):
        """x (B, L), at (B, W) -> logits (B, W, V) and the hidden states of both. Each network runs on its own rows
        alone.
        """
        light = self.placement.light((x != self.mask).double().mean(1))            # (B,) bool
        sides = zip((self.light, self.net), parted(light, alive, self.lights))
        answers = [net.draft(x, at, rows, clock) if len(rows) else (None, None) for net, rows in sides]
        return _either(light, *(logits for logits, _ in answers)), Shared(light, tuple(hidden for _, hidden in answers))

    def verify(self, hidden, y, order, at, alive=None):
        """Ranks `at` (B, W) -> logits (B, W, V), each row by the network that drafted it."""
        alive = torch.ones_like(hidden.light) if alive is None else alive
        sides = zip((self.light, self.net), hidden.states, (hidden.light & alive, ~hidden.light & alive))
        told = self.lights is not None
        return _either(hidden.light, *(net.verify(states, y, order, at, rows)
                                       if states is not None and (told or bool(rows.any())) else None
                                       for net, states, rows in sides))


def _either(light: Tensor, a: Tensor | None, b: Tensor | None) -> Tensor:
    """Rows of a where light, of b elsewhere; one of them may not have been asked."""
    if a is not None and b is not None:
        return torch.where(light[:, None, None], a, b)
    only = b if a is None else a
    assert only is not None, "neither network was asked"
    return only
