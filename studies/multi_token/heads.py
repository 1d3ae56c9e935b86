"""Autoregression that writes several tokens a pass: heads that guess further ahead, and a pass that tests their guesses
while it makes the states for the next ones (Medusa, arXiv 2401.10774, with frozen trunk and one chain of guesses;
tested by rejection sampling, arXiv 2211.17192, so that the law is the network's own).

    until the row is full, with guesses y at i+1..i+k:
        one pass over x, y:    q at i+1..i+k+1
        f = first r with  U_r p^r(y) >= q^r(y),  or i+k+1 if there is none
        x at i+1..f-1 = y;    x at f ~ max(0, q^f - p^f) / Z, where nothing was guessed ~ q^f;    i = f
        y at i+1..i+k ~ the heads on the state that judged f, which has not read it

Kept beside the studies and not among the samplers: it takes a network that never looks ahead.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.kinds import Rows
from harness.nets.autoregressive import Autoregressive
from harness.nets.flops import block_flops, head_flops
from harness.nets.transformer import gather_rows
from harness.random import Stream, from_logits, probability_of, residual, uniform
from harness.sampling.accept import accept
from harness.sampling.reveal import fill, probabilities, ranks_between


class Ahead(nn.Module):
    """One head: a residual layer, zero at the start, and logits that start as those of the trunk."""

    def __init__(self, head: nn.Linear):
        super().__init__()
        self.layer, self.head = nn.Linear(head.in_features,
                                          head.in_features), nn.Linear(head.in_features, head.out_features, bias=False)
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)
        self.head.load_state_dict(head.state_dict())

    def forward(self, state: Tensor) -> Tensor:
        return self.head(state + F.silu(self.layer(state)))


class Heads(nn.Module):
    """A left-to-right network, frozen, with `ahead` further heads. A Denoiser from left to right: a draft pass is a
    pass of the trunk, whose answer at a place is given the tokens before it; a verify pass applies the heads to the
    states of the draft pass, and costs no block.
    """

    def __init__(self, trunk: Autoregressive, ahead: int):
        super().__init__()
        self.config, self.vocab, self.mask = trunk.config, trunk.vocab, trunk.vocab
        self.trunk = deepcopy(trunk).requires_grad_(False)
        # the trunk gives its states, normed
        self.head, self.trunk.head = self.trunk.head, nn.Identity()    # type: ignore[assignment]
        self.ahead = nn.ModuleList(Ahead(self.head) for _ in range(ahead))

    def draft(self, x: Tensor, at: Tensor, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Tensor]:
        del alive, clock
        states = self.trunk(x)                                                     # (B, L, d)
        return self.head(gather_rows(states, at)), states                          # (B, W, V)

    def verify(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        """Guesses at places `at`, which begin behind the last token written, from the state that judged that token."""
        del order, alive
        last = (y != self.mask).sum(1, keepdim=True) - 1                           # (B, 1)
        state = gather_rows(hidden, last)[:, 0]                                    # (B, d)
        return torch.stack([head(state) for head in self.ahead[: at.shape[1]]], 1)    # type: ignore[index]  # (B, W, V)

    def begin(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        return torch.zeros(len(y), dtype=torch.int64, device=y.device)

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        """Of passes that read the whole row each time: keys and values are not kept."""
        c = self.config
        logits = heads * head_flops(c.width, c.vocab)
        return logits + (length * c.blocks * block_flops(c.width, length) if kind == "draft" else heads * 2
                         * c.width**2)

    def blocks(self, kind: str) -> int:
        return self.config.blocks if kind == "draft" else 0


@dataclass(frozen=True)
class Guessed:
    """The loop above. A uniform is keyed by its place alone, since what is dropped behind a rejection never entered a
    decision.
    """

    tokens: int = 4    # k, guesses a pass; 0: one token a pass

    name: ClassVar[str] = "guessed"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def exact(self) -> "Guessed":
        return self

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        net = nets["main"]
        return {"y": rows.x, "logits": torch.zeros(len(rows.x), self.tokens, net.vocab, device=rows.x.device)}

    def step(self, nets, rows: Rows) -> Rows:
        net, x, (B, L) = nets["main"], rows.x, rows.x.shape
        y, guesses = rows.memo["y"], rows.memo["logits"]                           # (B, L), (B, k, V)
        i, known = ((part != net.mask).sum(1) for part in (x, y))                  # (B,) written; written or guessed
        at = ranks_between(i, (known + 1).clamp_max(L))                            # (B, W)
        order = torch.arange(L, device=x.device).expand(B, -1)
        net.tried(y, order, at.where(at < known[:, None], -1))
        logits, states = net.draft(y, at)                                          # (B, W, V)
        guesses = F.pad(guesses, (0, 0, 0, max(0, at.shape[1] - self.tokens)))[:, : at.shape[1]]
        guessed = (at >= 0) & (at < known[:, None])                                # (B, W)
        token = y.gather(1, at.clamp_min(0)).where(guessed, 0)                     # (B, W)
        p, q = (probability_of(token, part) for part in (guesses, logits))
        f = accept(p, q, self._uniform(rows, Stream.ACCEPT, at), torch.zeros_like(i), known - i)           # (B,) column
        column = f.clamp_max(at.shape[1] - 1)[:, None]                             # (B, 1)
        tried, law = (probabilities(gather_rows(part, column)[:, 0]) for part in (guesses, logits))        # (B, V)
        tried = tried.where(guessed.gather(1, column), 0.0)  # nothing was guessed behind the last guess
        place = at.gather(1, column)                                               # (B, 1)
        # (B,)
        drawn = residual(tried, law, self._uniform(rows, Stream.RESIDUAL, place)[:, 0])    # type: ignore[call-arg]
        kept = torch.where(torch.arange(at.shape[1], device=x.device) < f[:, None], at, -1)                # (B, W)
        x = fill(fill(x, kept, token), torch.where(f[:, None] < at.shape[1], place, -1), drawn[:, None])
        i = (x != net.mask).sum(1)                                                 # (B,)
        ahead = ranks_between(i, (i + self.tokens).clamp_max(L))                   # (B, k or less)
        y = x
        if ahead.numel():
            guesses = net.verify(states, x, order, ahead)                          # (B, k or less, V)
            y = fill(x, ahead, from_logits(guesses, self._uniform(rows, Stream.DRAFT, ahead))[0])
        return rows._replace(x=x, memo={"y": y,
                                        "logits": F.pad(guesses,
                                                        (0, 0, 0,
                                                         max(0, self.tokens - guesses.shape[1])))[:, : self.tokens]})

    @staticmethod
    def _uniform(rows: Rows, stream: Stream, at: Tensor) -> Tensor:
        return uniform(rows.seed, rows.id, stream, at.clamp_min(0))
