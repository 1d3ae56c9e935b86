"""MaskGIT (arXiv 2202.04200): draw a token everywhere, keep those that were likely, with Gumbel noise on the choice.

    for n = 0 .. N-1:   T_n = T (1 - n/N)
        x0_l ~ p_l(. | x)                                   for l masked
        key_l = log p_l(x0_l) + T_n Gumbel
        reveal x0 at the k_n largest keys

Law: biased at every N, as it chooses by the tokens it drew; likely tokens come too often, as if p were raised to the
power 1 + 1/T_n (arXiv 2510.04525; baselines/moment.py). T = 0 is ordering by the confidence of the drawn token. Cost: a
pass for each step that reveals something.
"""

from dataclasses import dataclass
from typing import ClassVar

from baselines._masked import MOST, Looking, drawn, due, gumbel, look, ranks, write
from harness.kinds import Rows
from harness.param import Choice, Range, check, param
from harness.random import Stream
from harness.sampling.reveal import anew
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial


@dataclass(frozen=True)
class MaskGIT(Looking):
    """MaskGIT (arXiv 2202.04200): a pass draws a token at every mask and keeps the k_n likeliest of them, with Gumbel
    noise on the choice of positions. Biased at every N, since the choice looks at the tokens.
    """

    steps: int = param(64, Range(1, MOST, log=True), "N")
    schedule: Linear | Cosine | Polynomial | Knots = param(Cosine(), Choice(Cosine(), Linear(), Polynomial(), Knots()),
                                                           "share written after n of N steps")
    temperature: float = param(1.0, Range(0.0, 20.0), "T, of the choice of positions")

    name: ClassVar[str] = "maskgit"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> None:
        """None: what is revealed was chosen by the tokens themselves."""

    def step(self, nets, rows: Rows) -> Rows:
        net = nets["main"]
        n, k = due(rows, net.mask, self.steps, self.schedule)                      # (B,), (B,)
        at, logits = look(net, rows)                                               # (B, W), (B, W, V)
        x0, p = drawn(rows, at, logits, again=True)                                # (B, W) each
        heat = self.temperature * (1 - n.double() / self.steps)                    # (B,) T_n
        key = p.log() + heat[:, None] * gumbel(anew(rows, Stream.POSITION, at))    # (B, W)
        return write(rows, at, ranks(rows, at, key) < k[:, None], x0)
