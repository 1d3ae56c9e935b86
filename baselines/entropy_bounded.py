"""Entropy-bounded unmasking (EB, arXiv 2505.24857): as many of the surest positions as a bound on their dependence
allows.

    while masks are left:
        sort the masked positions, the surest first (by entropy, confidence or margin)
        U = longest prefix, one position at least, with  sum_U H(p_l) - max_U H(p_l) <= gamma
        x_l ~ p_l(. | x)   for l in U, independently

Law: bounded. sum H - max H is at least the total correlation of U, so a step's factorisation costs at most gamma nats;
gamma = 0 reveals one token, and any of zero entropy, and is exact. Cost: as many passes as the row needs, with the head
at every masked position.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from baselines._masked import Looking, drawn, look, ranks, write
from harness.kinds import Rows
from harness.param import Choice, Range, check, param
from harness.sampling.reveal import probabilities
from harness.schedules.certainty import Confidence, Entropy, Margin, entropy


@dataclass(frozen=True)
class EntropyBounded(Looking):
    """Entropy-bounded unmasking (EB, arXiv 2505.24857): a pass reveals as many of the surest positions as a bound on
    their total correlation allows, one at least. `gamma` is that bound, in nats. gamma = 0 is exact for an ideal
    network.
    """

    gamma: float = param(0.1, Range(0.0, 10.0), "nats of dependence that a step may lose")
    by: Entropy | Confidence | Margin = param(Entropy(), Choice(Entropy(), Confidence(), Margin()),
                                              "proxy of the error")

    name: ClassVar[str] = "entropy_bounded"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "EntropyBounded":
        return replace(self, gamma=0.0)

    def step(self, nets, rows: Rows) -> Rows:
        at, logits = look(nets["main"], rows)                                      # (B, W), (B, W, V)
        x, p = drawn(rows, at, logits)[0], probabilities(logits)                   # (B, W), (B, W, V)
        rank = ranks(rows, at, self.by.certainty(p, x))                            # (B, W)
        h = entropy(p).gather(1, rank.argsort(1))  # (B, W) the surest first, padding last
        bound = h.cumsum(1) - h.cummax(1).values  # (B, W) of each prefix: 0, then rising
        size = (bound <= self.gamma).int().cumprod(1).sum(1)                       # (B,)
        return write(rows, at, rank < size[:, None], x)
