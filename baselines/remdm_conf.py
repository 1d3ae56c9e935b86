"""ReMDM's strategy conf (arXiv 2503.00307): about one token a step is masked again, rather one that was improbable when
it was written.

    for n = 0 .. N-1:   t = 1 - n/N,  s = 1 - (n+1)/N,   sigma_max = min(1, (1 - alpha_s)/alpha_t)
        masked l:     x_l ~ p_l(. | x) with probability (alpha_s - alpha_t)/(1 - alpha_t);      psi_l = p_l(x_l | x)
        revealed l:   MASK with probability sigma_max softmax_l(- psi), over revealed tokens

What is forgotten depends on what was written, so this one goes step by step. Law: more is masked than 1 - alpha_s,
since what is forgotten is not made up for by revealing more; none in the end. The joint law is biased at every N:
probable tokens stay. Cost: a pass for each step in which a row reveals something.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines._remask import ends, revealing, sigma_max
from harness.kinds import Rows
from harness.nets.wrap import numbers
from harness.param import Choice, Range, check, param
from harness.random import Stream, from_logits
from harness.sampling.reveal import anew, fill, foreseen, positions
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial


@dataclass(frozen=True)
class ReMDMConf:
    """ReMDM's strategy conf (arXiv 2503.00307): what was improbable when it was written is rather masked again, about
    one token a step. A row is done after `steps` rounds, whether they reveal or not. Biased at every N.
    """

    steps: int = param(64, Range(1, 4096, log=True), "N, equal steps in time")
    schedule: Linear | Cosine | Polynomial | Knots = param(Linear(), Choice(Linear(), Cosine(), Polynomial(), Knots()))

    name: ClassVar[str] = "remdm_conf"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> None:
        """None: it prefers probable tokens, whatever N is."""

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return {"psi": torch.zeros(rows.x.shape, dtype=torch.float64, device=rows.x.device)}

    def alphas(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """alpha before the step and after it, (B, 1) each, both 1 of a row that is done."""
        alpha = self.schedule.alpha(ends(self.steps, rows.x.device))               # (N+1,)
        return alpha[rows.n][:, None], alpha[(rows.n + 1).clamp_max(self.steps)][:, None]

    def coming(self, rows: Rows, mask: int) -> tuple[Tensor, Tensor]:
        """The uniforms of the step, and what it reveals, (B, L) each."""
        u = anew(rows, Stream.POSITION)
        return u, (rows.x == mask) & (u < revealing(0, *self.alphas(rows)))

    def ahead(self, nets, rows: Rows) -> Tensor:
        """How many tokens come next, (1, B)."""
        return self.coming(rows, nets["main"].mask)[1].sum(1)[None]

    def step(self, nets, rows: Rows) -> Rows:
        net, psi, masked = nets["main"], rows.memo["psi"], rows.x == nets["main"].mask
        (now, then), (u, revealed) = self.alphas(rows), self.coming(rows, net.mask)
        many, = foreseen(rows, revealed.sum(1)[None])                              # (B,)
        at = positions(revealed, int(many.max()))                                  # (B, W)
        doubt = (-psi).masked_fill(masked | rows.given, -torch.inf).softmax(1)  # (B, L), NaN where nothing is revealed
        x = torch.where(~masked & (u < sigma_max(now, then) * doubt), net.mask, rows.x)
        if not at.shape[1]:
            return rows._replace(x=x)
        alive = numbers(revealed.any(1), int((many > 0).sum()))                    # (R,) rows
        logits, _ = net.draft(rows.x, at, alive, now[:, 0])                        # (B, W, V)
        tokens, p = from_logits(logits, anew(rows, Stream.TOKEN, at))              # (B, W)
        return rows._replace(x=fill(x, at, tokens), memo={"psi": fill(psi, at, p)})

    def done(self, rows: Rows) -> Tensor:
        return rows.n >= self.steps
