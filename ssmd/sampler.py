"""The self-speculative sampler: a window of drafts, up to N verify rounds a draft pass (arXiv 2510.03929; details
ours).

    sigma: one order a row, uniform unless `order` says otherwise;  x all masked;  i = 0
    while i < L:
        h, p = draft pass on x;    e = i + W(i);    y at sigma(i+1..e) ~ p, independently;    j = i
        up to N times, while j < e:
            q = verify pass on (h, y)
            f = first k in j+1..e with  U_k p^k(y) >= q^k(y)
            if there is one:   y at sigma(f) ~ max(0, q^f - p^f) / Z;   j = f          else   j = e
        x at sigma(i+1..j) = y;    i = j

Drafts behind a rejection are kept for the next verify round: they never entered a decision. Nothing revealed is
discarded. The law is that of the causal target, exactly, for every window and N when the network's conditionals come
from one joint. Ranks count from 0 here: row i of the box is rank i - 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows
from harness.param import Choice, Range, check, param
from harness.random import Stream, from_logits, probability_of, residual, uniform, uniforms
from harness.sampling.accept import accept
from harness.sampling.reveal import fill, next_places, order_of, probabilities, ranks_between
from harness.sampling.settle import settle
from harness.schedules.order import ORDERS, UNIFORM, OrderLaw
from harness.schedules.window import Cosine, Fixed, Linear, Open, Stairs, widths

ROUNDS = 64    # at most so many verify rounds; fixed, so that the key of a uniform never depends on N
FEW = 2**12    # uniforms of a call
TESTS = (Stream.ACCEPT, Stream.RESIDUAL)    # what a verify round draws for
UNASKED = 4    # verify passes before the host asks a device whether any row needs another


@dataclass(frozen=True)
class SelfSpeculative:
    """Self-speculative masked diffusion (arXiv 2510.03929): a draft pass, and up to `rounds` verify passes that test
    the drafts of a window in a random order; needs a network with verify passes.
    """

    window: Cosine | Linear | Fixed | Open | Stairs = param(Cosine(),
                                                            Choice(Cosine(), Linear(), Fixed(), Open(), Stairs()))
    rounds: int = param(2, Range(1, ROUNDS, log=True), "N, verify passes a draft pass")
    order: OrderLaw = param(UNIFORM, ORDERS, "law of sigma")

    name: ClassVar[str] = "ssmd"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main.verify",)

    def __post_init__(self):
        check(self)

    def exact(self) -> "SelfSpeculative":
        return self

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        order = order_of(rows, self.order)
        return {"order": order, "rank": order.argsort(1)}

    def ahead(self, nets, rows: Rows) -> Tensor:
        """W(i) and e, (2, B)."""
        i = (rows.x != nets["main"].mask).sum(1)                                   # (B,)
        width = widths(self.window, i, rows.x.shape[1])
        return torch.stack((width, i + width))

    def step(self, nets, rows: Rows) -> Rows:
        net, order = nets["main"], rows.memo["order"]
        i, length = (rows.x != net.mask).sum(1), rows.x.shape[1]                   # (B,)
        e = i + widths(self.window, i, length)                                     # (B,)
        logits, hidden = net.draft(rows.x, next_places(order, i, e, *rows.ahead[:1])[1])    # (B, W, V)
        return speculated(net, rows, order, rows.memo["rank"], e, logits, hidden, self.rounds)


def speculated(net: Denoiser, rows: Rows, order: Tensor, rank: Tensor, e: Tensor, logits: Tensor, hidden: Any,
               rounds: int, bonus: bool = False) -> Rows:
    """The loop above behind its draft pass: drafts at ranks i..e-1 from logits (B, W, V), then verify rounds. rank (B,
    L) is the inverse of order; e (B,). bonus: behind a window that passed whole, rank e too (ssmd/bonus.py).

    Where rows.ahead holds the largest W(i) and e, the host does not wait for its device: verify passes run for rows
    that need none, and every row draws from a residual law, used or not. The tokens are the same.
    """
    i = (rows.x != net.mask).sum(1)                                                # (B,)
    ranks, at = next_places(order, i, e, *rows.ahead[:1])                          # (B, W) each
    rounds = min(rounds, ranks.shape[1]) if rows.ahead else rounds    # each tests one draft or more
    of_drafts, of_tests = _uniforms(rows, ranks, rounds)
    drafted, p = from_logits(logits, of_drafts)                                    # (B, W)
    y = fill(rows.x, at, drafted)                                                  # (B, L)
    j, length = i, rows.x.shape[1]
    asked = ranks                                                                  # (B, W or W + 1)
    if bonus:
        asked = ranks_between(i, (e + 1).clamp_max(length), *(w + 1 for w in rows.ahead[:1]))
    if rows.ahead and hasattr(hidden, "promise"):
        hidden.promise(asked.shape[1], min(rows.ahead[1] + bonus, length))
    for k, (u, v) in enumerate(of_tests):
        alive = j < e
        if not (rows.ahead and (not k or k % UNASKED)) and not bool(alive.any()):
            break
        untested = torch.where(asked >= j[:, None], asked, -1)                     # (B, W or W + 1)
        further = net.verify(hidden, y, order, untested, alive)                    # (B, W or W + 1, V)
        judged = further[:, : ranks.shape[1]]                                      # (B, W, V)
        if rows.ahead:
            q = probability_of(drafted, judged)                                    # (B, W)
            y, j, f = settle(logits, judged, p, q, u, v, at, y, i, j, e)
        else:
            q = probability_of(drafted, judged, beside=u * p)                      # (B, W)
            f = accept(p, q, u, j - i, e - i)                                      # (B,) column of the first rejection
            rejected = (alive & (f < e - i)).nonzero()[:, 0]                       # (R,) rows
            column = f[rejected]                                                   # (R,)
            p_f, q_f = (probabilities(t[rejected, column]) for t in (logits, judged))    # (R, V) each
            token = residual(p_f, q_f, v[rejected, column])                        # (R,)
            y = y.index_put((rejected, at[rejected, column]), token)
            j = torch.where(alive, torch.minimum(i + f + 1, e), j)
        if bonus:
            whole = alive & (f == e - i) & (e < length)
            if rows.ahead:
                y, j = fill(y, *_bonuses(rows, order, e, e - i, whole, further)), torch.where(whole, e + 1, j)
            elif bool(whole.any()):
                y, j = _with_bonus(rows, y, order, e, e - i, whole, further), torch.where(whole, e + 1, j)
    return rows._replace(x=torch.where(rank < j[:, None], y, net.mask))


def _bonuses(rows: Rows, order: Tensor, e: Tensor, column: Tensor, whole: Tensor,
             logits: Tensor) -> tuple[Tensor, Tensor]:
    """As `_with_bonus`, but a token is drawn for every row: places (B, 1), -1 for rows that did not pass, and tokens
    (B, 1).
    """
    place = order.gather(1, e.clamp_max(order.shape[1] - 1)[:, None])              # (B, 1)
    law = logits.gather(1, column[:, None, None].expand(-1, 1, logits.shape[2]))   # (B, 1, V)
    token, _ = from_logits(law, uniform(rows.seed, rows.id, Stream.TOKEN, place))  # (B, 1)
    return torch.where(whole[:, None], place, -1), token


def _with_bonus(rows: Rows, y: Tensor, order: Tensor, e: Tensor, column: Tensor, whole: Tensor,
                logits: Tensor) -> Tensor:
    """y (B, L) with a token at rank e (B,) of the rows that passed `whole` (B,), from the target there: `column` (B,)
    of logits (B, W + 1, V).
    """
    some = whole.nonzero()[:, 0]                                                   # (R,)
    place = order[some, e[some]]                                                   # (R,)
    u = uniform(rows.seed, rows.id[some], Stream.TOKEN, place[:, None])            # (R, 1)
    token, _ = from_logits(logits[some, column[some]][:, None], u)                 # (R, 1)
    return y.index_put((some, place), token[:, 0])


def _uniforms(rows: Rows, ranks: Tensor, rounds: int) -> tuple[Tensor, Iterator[tuple[Tensor, Tensor]]]:
    """Uniforms of the drafts (B, W), and those of acceptance and residual for each verify round, (B, W) each."""
    if not rows.ahead:
        return (next(_by_round(rows, Stream.DRAFT, ranks, 1)),
                zip(*(_by_round(rows, stream, ranks, rounds) for stream in TESTS)))
    few = min(rounds, UNASKED)
    keys = rows.seed, rows.id, rows.n, ranks, rows.x.shape[1]
    first, *others = uniforms(*keys, (Stream.DRAFT, *TESTS), (1, few, few), per_round=ROUNDS)    # (1 + 2 few, B, W)

    def further() -> Iterator[tuple[Tensor, Tensor]]:
        for k in range(few, rounds, few):
            many = min(few, rounds - k)
            both = uniforms(*keys, TESTS, (many, many), first=k, per_round=ROUNDS)               # (2 many, B, W)
            yield from zip(both[:many], both[many:])

    return first, chain(zip(others[:few], others[few:]), further())


def _by_round(rows: Rows, stream: Stream, ranks: Tensor, rounds: int) -> Iterator[Tensor]:
    """Uniforms of this outer round, keyed by verify round and rank, (B, W) each; those of several rounds in one call,
    which costs more than its numbers.
    """
    few = max(1, FEW // ranks.numel())
    for part in torch.arange(rounds, device=ranks.device).split(few):
        index = (rows.n[:, None, None] * ROUNDS + part[:, None]) * rows.x.shape[1] + ranks[:, None]    # (B, K, W)
        yield from uniform(rows.seed, rows.id, stream, index.flatten(1)).view_as(index).unbind(1)
