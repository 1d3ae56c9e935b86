"""KLASS (arXiv 2511.05664): reveal what is both sure and settled, that is, what the last revealed tokens no longer
change.

    while masks are left:
        d_l = KL(p_l now || p_l one step before)            for l masked; infinite in the first step
        ready = {l : max_v p_l(v) > confidence  and  d_l < kl at each of the last `history` steps}
        reveal all of ready, or else the k_n of the highest confidence;   x_l = argmax p_l  or  x_l ~ p_l

k_n as in baselines/ordered.py, at the place of the schedule that the row's own written tokens have reached. Law: biased
by factorisation, and by greedy tokens; exact with drawn tokens, one a step and nothing ever ready. Cost: up to one pass
a token, so N may be passed. The head is evaluated at every masked position. Memory: each row keeps p of the step
before, 8 L V bytes: 55 kB at L = 256 and V = 27, 412 MB at L = 1024 and V = 50,257.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from baselines._masked import MOST, Looking, chosen_tokens, due, look, ranks, write
from harness.kinds import Rows
from harness.param import Choice, Range, check, param
from harness.sampling.reveal import probabilities
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial


@dataclass(frozen=True)
class KLASS(Looking):
    """KLASS (arXiv 2511.05664): a pass reveals every position that is sure and whose law has moved by less than `kl`
    nats in each of the last `history` steps; where there is none, the k_n surest. Each row keeps its laws of the step
    before, 8 L V bytes. Biased; exact with drawn tokens, one a step and nothing ever ready.
    """

    steps: int = param(64, Range(1, MOST, log=True), "N of k_n")
    schedule: Linear | Cosine | Polynomial | Knots = param(Linear(), Choice(Linear(), Cosine(), Polynomial(), Knots()),
                                                           "of k_n")
    confidence: float = param(0.9, Range(0.0, 1.0), "above it a position is sure")
    kl: float = param(0.01, Range(0.0, 10.0), "nats below which it is settled")
    history: int = param(2, Range(1, 16), "steps in a row for which it must be")
    tokens: str = param("greedy", Choice("greedy", "drawn"))

    name: ClassVar[str] = "klass"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "KLASS | None":
        return None if self.tokens == "greedy" else replace(self, confidence=1.0, steps=MOST, schedule=Linear())

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        """p of the step before, where 0 makes the first KL infinite, and for how many steps it was small; one spare
        column takes the padding.
        """
        b, spare, on = len(rows.x), rows.x.shape[1] + 1, rows.x.device
        return {"before": torch.zeros(b, spare, nets["main"].vocab, dtype=torch.float64, device=on),    # (B, L+1, V)
                "settled": torch.zeros(b, spare, dtype=torch.int64, device=on)}                # (B, L+1)

    def step(self, nets, rows: Rows) -> Rows:
        net, before, settled = nets["main"], rows.memo["before"], rows.memo["settled"]
        _, k = due(rows, net.mask, self.steps, self.schedule)                      # (B,)
        at, logits = look(net, rows)                                               # (B, W), (B, W, V)
        p = probabilities(logits)                                                  # (B, W, V)
        column = torch.where(at < 0, rows.x.shape[1], at)                          # (B, W)
        each = column[..., None].expand_as(p)
        d = (torch.xlogy(p, p) - torch.xlogy(p, before.gather(1, each))).sum(-1)   # (B, W)
        lasted = torch.where(d < self.kl, settled.gather(1, column) + 1, 0)        # (B, W)
        sure = p.amax(-1)                                                          # (B, W)
        ready = (at >= 0) & (sure > self.confidence) & (lasted >= self.history)
        chosen = torch.where(ready.any(1, keepdim=True), ready, ranks(rows, at, sure) < k[:, None])
        memo = rows.memo | {"before": before.scatter(1, each, p), "settled": settled.scatter(1, column, lasted)}
        return write(rows, at, chosen, chosen_tokens(rows, at, logits, self.tokens))._replace(memo=memo)
