"""The steps shared by samplers that look at every masked position of a row before they choose some of them.

    look     one draft pass; the head is evaluated at every masked position, and charged so
    due      how many tokens come next when N steps follow a schedule: after step n, ceil(m alpha_n) of m to write
    ranks    the place of each position among the surest of its row
    write    tokens at the chosen positions

The linear schedule splits the tokens evenly (LLaDA), the cosine one leaves floor(m cos(pi/2 n/N)) masks after step n
(MaskGIT). A step that would reveal nothing is left out and costs no pass.
"""

import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows, Schedule
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import anew, fill, positions
from harness.schedules.certainty import coarse

MOST = 4096        # steps; so many leave one token to a step, up to that length


class Looking:
    """A sampler whose rounds look at every masked position of a row."""

    def ahead(self, nets, rows: Rows) -> Tensor:
        """How many there are, (1, B)."""
        return (rows.x == nets["main"].mask).sum(1)[None]


def look(net: Denoiser, rows: Rows) -> tuple[Tensor, Tensor]:
    """Numbers `at` (B, W) of the masked positions, -1 as padding, and their logits (B, W, V)."""
    written = rows.x != net.mask
    at = positions(~written, *rows.ahead)
    logits, _ = net.draft(rows.x, at, clock=written.double().mean(1))
    return at, logits


def due(rows: Rows, mask: int, steps: int, schedule: Schedule) -> tuple[Tensor, Tensor]:
    """The step n (B,) that comes next, 0..N-1, and the number of tokens k_n (B,) it reveals. A function of how much the
    row has written.
    """
    # (N+1,) from 0 to 1
    levels = schedule.alpha(1 - torch.arange(steps + 1, dtype=torch.float64, device=rows.x.device) / steps)
    m = (~rows.given).sum(1)                                                       # (B,)
    written = m - (rows.x == mask).sum(1)                                          # (B,)
    # (B,) the first step that goes beyond what is written
    n = torch.searchsorted(levels[1:], (written + 1e-9) / m, right=True)
    # rounding lifts no whole number to the next
    upto = [torch.ceil(m * levels[n + end] - 1e-9).long() for end in (0, 1)]
    return n, upto[1] - upto[0]


def ranks(rows: Rows, at: Tensor, certainty: Tensor) -> Tensor:
    """0 for the surest position of a row, and so on; padding comes last. certainty (B, W) -> (B, W).

    Ties go by the uniform that orders the positions of first-hitting sampling, not by their place in the text.
    """
    early = uniform(rows.seed, rows.id, Stream.ORDER, at.clamp_min(0)).argsort(1)  # (B, W) columns
    certainty = torch.where(at < 0, -torch.inf, coarse(certainty))
    surest = certainty.gather(1, early).argsort(dim=1, descending=True, stable=True)
    return early.gather(1, surest).argsort(1)


def drawn(rows: Rows, at: Tensor, logits: Tensor, again: bool = False) -> tuple[Tensor, Tensor]:
    """A token from each softmax(logits) and its probability, (B, W) each. again: tokens are looked at before some are
    kept, so each round draws its own.
    """
    u = anew(rows, Stream.TOKEN, at) if again else uniform(rows.seed, rows.id, Stream.TOKEN, at.clamp_min(0))
    return from_logits(logits, u)


def chosen_tokens(rows: Rows, at: Tensor, logits: Tensor, how: str, again: bool = False) -> Tensor:
    """"greedy": the likeliest token; "drawn": one from p. (B, W)"""
    return logits.argmax(-1) if how == "greedy" else drawn(rows, at, logits, again)[0]


def gumbel(u: Tensor) -> Tensor:
    return -torch.log(-torch.log(u))


def write(rows: Rows, at: Tensor, chosen: Tensor, tokens: Tensor) -> Rows:
    """tokens (B, W) where chosen (B, W) bool."""
    return rows._replace(x=fill(rows.x, torch.where(chosen, at, -1), tokens))
