"""Ordered unmasking: the k_n positions of which the network is surest, in N steps (LLaDA, arXiv 2502.09992; "Train for
the Worst, Plan for the Best", arXiv 2502.06768).

    for n = 0 .. N-1:
        x0_l ~ p_l(. | x)   or  argmax p_l          for l masked
        reveal x0 at the k_n masked positions of the highest score

k_n splits the tokens evenly (linear schedule) or follows a cosine; steps with k_n = 0 are left out. The score is one of
harness/schedules/certainty.py.

Law: with drawn tokens and a score of p alone, one token a step is exact in any order; several a step factorise. A score
of the drawn token and greedy tokens are biased at every N. Cost: a pass for each step that reveals something, with the
head at every masked position.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from baselines._masked import MOST, Looking, chosen_tokens, due, look, ranks, write
from harness.kinds import Rows
from harness.param import Choice, Range, check, param
from harness.sampling.reveal import probabilities
from harness.schedules.certainty import Confidence, Entropy, Margin, Random, TokenConfidence
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial


@dataclass(frozen=True)
class Ordered(Looking):
    """Ordered unmasking in `steps` steps: a pass reveals the k_n masked positions of which the network is surest by
    `by` (LLaDA, arXiv 2502.09992; arXiv 2502.06768). Exact with one drawn token a step and a score that does not look
    at it.
    """

    steps: int = param(64, Range(1, MOST, log=True), "N")
    schedule: Linear | Cosine | Polynomial | Knots = param(Linear(), Choice(Linear(), Cosine(), Polynomial(), Knots()),
                                                           "share written after n of N steps")
    by: Confidence | Margin | Entropy | Random | TokenConfidence = param(
        Confidence(), Choice(Confidence(), Margin(), Entropy(), Random(), TokenConfidence()), "score"
    )
    tokens: str = param("drawn", Choice("drawn", "greedy"))

    name: ClassVar[str] = "ordered"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "Ordered | None":
        biased = self.tokens == "greedy" or self.by.of_token
        return None if biased else replace(self, steps=MOST, schedule=Linear())

    def step(self, nets, rows: Rows) -> Rows:
        net = nets["main"]
        _, k = due(rows, net.mask, self.steps, self.schedule)                      # (B,)
        at, logits = look(net, rows)                                               # (B, W), (B, W, V)
        x0 = chosen_tokens(rows, at, logits, self.tokens, again=self.by.of_token)  # (B, W)
        score = self.by.certainty(probabilities(logits), x0)                       # (B, W)
        return write(rows, at, ranks(rows, at, score) < k[:, None], x0)
