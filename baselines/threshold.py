"""Threshold unmasking: every position of which the network is sure enough (Fast-dLLM, arXiv 2505.22618, without its
cache).

    while masks are left:
        c_l = max_v p_l(v | x)                              for l masked
        reveal every l with c_l >= tau, and the best one;   x_l = argmax p_l  or  x_l ~ p_l

Law: biased by factorisation, and by greedy tokens; with drawn tokens tau = 1 is one token at a time, the surest first,
and exact. Each row decides for itself. Cost: as many passes as the row needs, with the head at every masked position.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from baselines._masked import Looking, chosen_tokens, look, ranks, write
from harness.kinds import Rows
from harness.param import Choice, Range, check, param
from harness.sampling.reveal import probabilities


@dataclass(frozen=True)
class Threshold(Looking):
    """Threshold unmasking (Fast-dLLM, arXiv 2505.22618, without its cache): a pass reveals every position whose
    likeliest token has a probability of at least `tau`, and the surest one in any case. With drawn tokens tau = 1 is
    exact.
    """

    tau: float = param(0.9, Range(0.0, 1.0), "confidence at which a position is revealed")
    tokens: str = param("greedy", Choice("greedy", "drawn"))

    name: ClassVar[str] = "threshold"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "Threshold | None":
        return None if self.tokens == "greedy" else replace(self, tau=1.0)

    def step(self, nets, rows: Rows) -> Rows:
        at, logits = look(nets["main"], rows)                                      # (B, W), (B, W, V)
        confidence = probabilities(logits).amax(-1)                                # (B, W)
        best = ranks(rows, at, confidence) == 0
        return write(rows, at, best | (confidence >= self.tau), chosen_tokens(rows, at, logits, self.tokens))
