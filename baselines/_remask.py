"""What the remasking samplers share: tokens are revealed and masked again with chances that depend on the step alone.

    masked l:               x_l ~ p_l(. | x)   with probability `reveal`
    revealed l, not given:  x_l = MASK         with probability `forget`

A step from alpha_t to alpha_s that forgets with probability sigma keeps P(l revealed at s) = alpha_s if (arXiv
2503.00307)

    reveal = (alpha_s - (1 - sigma) alpha_t)/(1 - alpha_t),     sigma <= sigma_max = min(1, (1 - alpha_s)/alpha_t)

As in ancestral sampling the steps are drawn ahead: with a token come the step that will forget it and the one that will
write its place anew. A round is the next step in which the row reveals something, and the network sees x as it stands
before that step; so x has a mask while there is something to write, and none when the row is done. The k-th token of a
place has uniforms of its own: samplers that forget share those of the first with samplers that do not. "Tokens revealed
a draft pass" in a record is net of what was forgotten in that round.
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from baselines._ahead import hazards, next_step
from harness.kinds import Denoiser, Rows
from harness.param import check
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import fill, positions, reveal_times

Chances = tuple[Tensor, Tensor, Tensor]    # reveal, forget and alpha_t of each step, (K,)


def ends(steps: int, device) -> Tensor:
    """t at the ends of N equal steps, (N+1,) from 1 down to 0."""
    return torch.arange(steps, -1, -1, dtype=torch.float64, device=device) / steps


def sigma_max(now: Tensor, then: Tensor) -> Tensor:
    """The most that a step from alpha_t = now to alpha_s = then may forget."""
    return torch.where(now > 0, ((1 - then) / now).clamp_max(1), 1)


def revealing(sigma: Tensor | float, now: Tensor, then: Tensor) -> Tensor:
    """The chance of a masked token that makes up for sigma."""
    return (then - (1 - sigma) * now) / (1 - now)


class Remasking:
    """A sampler whose steps reveal and forget with chances of the step alone; a subclass is a frozen dataclass with
    `chances(device)`, (K,) each.
    """

    needs: ClassVar[tuple[str, ...]] = ("main",)
    chances: Callable[[torch.device], Chances]

    def __post_init__(self):
        check(self)

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return begun(rows, self.chances(rows.x.device))

    def ahead(self, nets, rows: Rows) -> Tensor:
        """How many tokens come next, (1, B)."""
        due = rows.memo["due"]
        return (due == due.amin(1, keepdim=True)).sum(1)[None]

    def step(self, nets, rows: Rows) -> Rows:
        return stepped(nets["main"], rows, self.chances(rows.x.device))


def begun(rows: Rows, chances: Chances) -> dict[str, Tensor]:
    """due: the next step that writes a place; gone: the step that forgets what it holds; K: none; times: how often it
    was written. (B, L) each.
    """
    reveal, never = hazards(chances[0]), torch.full_like(rows.x, len(chances[0]))
    first = next_step(reveal, torch.zeros_like(rows.x), reveal_times(rows).clamp_min(0))
    return {"due": torch.where(rows.given, never, first), "gone": never, "times": torch.zeros_like(rows.x)}


def stepped(net: Denoiser, rows: Rows, chances: Chances) -> Rows:
    """The next step of each row that reveals something; then x as it stands before the one after it."""
    (due, gone, times), (reveal, forget, alpha) = (rows.memo[k] for k in ("due", "gone", "times")), chances
    now = due.amin(1, keepdim=True)                                                # (B, 1)
    at = positions(due == now, *rows.ahead)                                        # (B, W)
    nth = times.gather(1, at.clamp_min(0))                                         # (B, W)
    logits, _ = net.draft(rows.x, at, clock=alpha[now[:, 0]])                      # (B, W, V)
    tokens, _ = from_logits(logits, _nth(rows, Stream.TOKEN, at, nth))             # (B, W)
    u, v = _nth(rows, Stream.POSITION, at.repeat(1, 2), torch.cat((2 * nth, 2 * nth + 1), 1)).chunk(2, 1)
    lost = next_step(hazards(forget), (now + 1).expand_as(at), u)                  # (B, W) K: never
    back = next_step(hazards(reveal), (lost + 1).clamp_max(len(reveal)), v)        # (B, W)
    due, gone, times = fill(due, at, back), fill(gone, at, lost), fill(times, at, nth + 1)
    x = torch.where(gone < due.amin(1, keepdim=True), net.mask, fill(rows.x, at, tokens))
    return rows._replace(x=x, memo={"due": due, "gone": gone, "times": times})


def _nth(rows: Rows, stream: Stream, at: Tensor, nth: Tensor) -> Tensor:
    """Uniforms of the nth draw for places `at`, (B, W)."""
    return uniform(rows.seed, rows.id, stream, nth * rows.x.shape[1] + at.clamp_min(0))
