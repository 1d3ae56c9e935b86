"""The moment sampler ("Demystifying MaskGIT Sampler and Beyond", arXiv 2510.04525): MaskGIT's law for many masks, with
positions chosen before tokens.

    for n = 0 .. N-1:   T_n = T (1 - n/N),   b = 1 + 1/T_n
        key_l = log sum_v p_l(v)^b + Gumbel                 for l masked
        x_l ~ p_l^b / sum_v p_l(v)^b                        for l of the k_n largest keys

Law: biased at every N, as tokens are drawn at the temperature 1/b < 1; T to infinity is random order. n counts from 0,
so that b is finite in the last step. Cost: a pass for each step that reveals something, with the head at every masked
position.
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
class Moment(Looking):
    """The moment sampler (arXiv 2510.04525): MaskGIT's law for many masks, with positions chosen before their tokens
    are drawn. Biased at every N, since tokens are drawn from a power of the law.
    """

    steps: int = param(64, Range(1, MOST, log=True), "N")
    schedule: Linear | Cosine | Polynomial | Knots = param(Cosine(), Choice(Cosine(), Linear(), Polynomial(), Knots()),
                                                           "share written after n of N steps")
    temperature: float = param(1.0, Range(0.01, 20.0, log=True), "T, as MaskGIT's")

    name: ClassVar[str] = "moment"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> None:
        """None: tokens are drawn from a power of p."""

    def step(self, nets, rows: Rows) -> Rows:
        net = nets["main"]
        n, k = due(rows, net.mask, self.steps, self.schedule)                      # (B,), (B,)
        at, logits = look(net, rows)                                               # (B, W), (B, W, V)
        b = 1 + 1 / (self.temperature * (1 - n.double() / self.steps))             # (B,)
        power = b[:, None, None] * logits.double().log_softmax(-1)                 # (B, W, V)
        key = power.logsumexp(-1) + gumbel(anew(rows, Stream.POSITION, at))        # (B, W)
        return write(rows, at, ranks(rows, at, key) < k[:, None], drawn(rows, at, power)[0])
