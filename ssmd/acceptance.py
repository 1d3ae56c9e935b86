"""What acceptance must be on average, from draft and target alone, at the states that the self-speculative sampler
meets.

At a verify pass with p, q of the tracks j+1..e and drafts y, track k is tested if all before it were accepted, and then
accepted with alpha_k:
    reach_k = prod_{j<m<k} min(1, q_m(y_m) / p_m(y_m))          P(k is tested | drafts before it)
    alpha_k = sum_v min(p_k(v), q_k(v)) = 1 - TV(p_k, q_k)      P(k is accepted | it is tested, drafts before it)
    P(first rejection at k) = reach_k (1 - alpha_k)
Summed over the passes of a run they are the expected counts of drafts tested and accepted and of tokens revealed a
draft pass, for any window and N: each term is an expectation over the uniforms of the pass and the token tested, given
all before. Counted minus predicted is therefore a sum of fair bets, and its spread over blocks of rows says how near
the two must lie (arXiv 2510.03929; formulas ours).
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows, Sampler
from harness.nets.wrap import Alive, Wrapper
from harness.sampling.ledger import TENTHS, Ledger, Metered
from harness.sampling.reveal import probabilities
from harness.stats.intervals import Interval, interval, resampled_sums


def reach_and_accept(p: Tensor, q: Tensor, y: Tensor, untested: Tensor) -> tuple[Tensor, Tensor]:
    """reach (B, W) and alpha (B, W). p, q (B, W, V) float64; y (B, W) drafts; untested (B, W) bool: the tracks of this
    pass, contiguous.
    """
    token = y[..., None]
    ratio = (q.gather(-1, token) / p.gather(-1, token))[..., 0].clamp_max(1)       # (B, W) P(this draft is accepted)
    ratio = torch.where(untested, ratio, 1.0)
    reach = torch.cat((torch.ones_like(ratio[:, :1]), ratio[:, :-1].cumprod(1)), 1)
    return reach * untested, torch.minimum(p, q).sum(-1)


class Watched(Wrapper):
    """A network that adds up at every verify pass what acceptance must be; its answers are passed on untouched. Tables
    as those of Ledger.
    """

    def __init__(self, net: Denoiser, rounds: int, length: int):
        super().__init__(net)
        self.rounds, self.length = rounds, length
        self.tested, self.passed = ({"depth": np.zeros(length), "progress": np.zeros(TENTHS), "round": np.zeros(64)}
                                    for _ in range(2))
        self.revealed = np.zeros(length + 1)
        self._p: Tensor | None = None
        self._passes: list[Tensor] = []  # verify passes since the last draft pass

    def draft(self, x, at=None, alive=None, clock=None):
        logits, hidden = self.net.draft(x, at, alive, clock)
        self._p, self._passes = probabilities(logits), []
        return logits, hidden

    def verify(self, hidden, y, order, at, alive=None):
        logits = self.net.verify(hidden, y, order, at, alive)
        rows = torch.arange(len(y)) if alive is None else alive.cpu().nonzero()[:, 0]
        drafted = y.gather(1, order.gather(1, at.clamp_min(0)))                    # (B, W)
        assert self._p is not None, "a verify pass before any draft pass"
        self._add(self._p[rows], probabilities(logits[rows]), drafted[rows], at[rows],
                  len(self._passes))
        self._passes.append(rows)
        return logits

    def _add(self, p: Tensor, q: Tensor, y: Tensor, at: Tensor, round_: int) -> None:
        reach, alpha = (t.cpu().numpy() for t in reach_and_accept(p, q, y, at >= 0))
        rank, kept = at.cpu().numpy(), reach * alpha
        on = rank >= 0                                                             # (b, W)
        first = np.where(on, rank, self.length).min(1, keepdims=True)
        place = {"depth": (rank - first)[on], "progress": (rank * TENTHS // self.length)[on],
                 "round": np.full(on.sum(), min(round_, 63))}
        for table, mass in ((self.tested, reach), (self.passed, kept)):
            for by, where in place.items():
                np.add.at(table[by], where, mass[on])
        width = on.argmax(1) + on.sum(1)  # (b,) the window: tokens revealed if all is accepted
        # every track but the last accepted: the round ends in any case
        last = np.take_along_axis(reach, width[:, None] - 1, 1)[:, 0]
        stopped = reach - kept
        np.put_along_axis(stopped, width[:, None] - 1, last[:, None], 1)
        if round_ + 1 < self.rounds:
            np.add.at(self.revealed, width, last)
        else:
            np.add.at(self.revealed, (np.arange(on.shape[1]) + 1)[None].repeat(len(on), 0)[on], stopped[on])


class Speculative(Sampler, Protocol):
    """A sampler that drafts once and then verifies for so many rounds."""

    @property
    def rounds(self) -> int: ...
    def start(self, nets: Mapping[str, Denoiser], rows: Rows) -> dict[str, Tensor]: ...


class Run(NamedTuple):
    predicted: Watched
    counted: Ledger


@torch.inference_mode()
def watch(sampler: Speculative, net: Denoiser, rows: Rows, whole: bool = True) -> Run:
    """Take the rows to their end (or one round further) and add up what was predicted and what happened."""
    length = rows.x.shape[1]
    ledger = Ledger(len(rows.id), length, net.mask)
    seen = Watched(Alive(net), sampler.rounds, length)
    nets, live, slots = {"main": Metered(seen, "main", ledger)}, rows, torch.arange(len(rows.id))
    while len(slots):
        ledger.open(slots, live.x)
        live = sampler.step(nets, live)
        ledger.close(live.x)
        left = (live.x == net.mask).any(1) & whole
        live = Rows(live.x[left], live.given[left], live.id[left], live.n[left] + 1, live.seed,
                    {k: v[left] for k, v in live.memo.items()})
        slots = slots[left.cpu()]
    return Run(seen, ledger)


def fresh_rows(sampler: Speculative, ids: Tensor, length: int, mask: int, seed: int) -> Rows:
    """Rows with nothing written, as the loop of the harness admits them."""
    x = torch.full((len(ids), length), mask, device=ids.device)
    rows = Rows(x, torch.zeros_like(x, dtype=torch.bool), ids, torch.zeros_like(ids), seed, {})
    return rows._replace(memo=sampler.start({}, rows))


def data_rows(sampler: Speculative, data: Tensor, ids: Tensor, mask: int, seed: int, states: int) -> Rows:
    """Rows of a data set, each at `states` evenly spaced stages of the order of its number: what the sampler would meet
    if it wrote real text.

    As many rounds as tokens count as made, so that every state draws uniforms of its own.
    """
    n, length = data.shape
    rows = fresh_rows(sampler, ids.repeat_interleave(states), length, mask, seed)
    i = (torch.arange(states) * 2 + 1) * length // (2 * states)                    # (states,) tokens revealed
    hidden = rows.memo["rank"] >= i.to(ids.device).repeat(n)[:, None]
    return rows._replace(x=torch.where(hidden, mask, data.repeat_interleave(states, 0)), n=i.to(ids.device).repeat(n))


class Compared(NamedTuple):
    """One bin: a share predicted, the share counted, and their difference, with intervals over blocks of rows."""

    by: str
    index: int    # type: ignore[assignment]  # from 1; tokens for "revealed"
    tests: int             # counted: drafts tested, or draft passes
    predicted: Interval
    counted: Interval
    difference: Interval   # counted - predicted


def compare(runs: list[Run], fewest: float = 10, resamples: int = 2000) -> list[Compared]:
    """Every bin of depth, progress, round, revealed and all drafts ("all") with `fewest` successes and failures
    expected or more. A run is a block.
    """
    found = []
    for by, (top, bottom, top_, bottom_) in _sums(runs).items():  # (blocks, bins) each: predicted, counted
        expected, trials = top.sum(0), bottom.sum(0)
        for k in np.flatnonzero((expected >= fewest) & (trials - expected >= fewest) & (bottom_.sum(0) > 0)):
            s = resampled_sums(np.stack((top[:, k], bottom[:, k], top_[:, k], bottom_[:, k]), 1), resamples, seed=0).T
            with np.errstate(divide="ignore", invalid="ignore"):
                predicted, counted = s[0] / s[1], s[2] / s[3]                      # (1 + resamples,) each
            if np.isfinite(predicted).all() and np.isfinite(counted).all():
                spans = (interval(v[0], v[1:], len(runs), 0.95) for v in (predicted, counted, counted - predicted))
                found.append(Compared(by, int(k) + (by != "revealed"), int(s[3][0]), *spans))
    return found


def _sums(runs: list[Run]) -> Mapping[str, tuple[np.ndarray, ...]]:
    """by -> numerators and denominators of every bin, predicted then counted, (blocks, bins) each."""
    def stack(pick) -> np.ndarray:
        return np.stack([np.asarray(pick(run), np.float64) for run in runs])

    tables = {by: (stack(lambda r, by=by: r.predicted.passed[by]), stack(lambda r, by=by: r.predicted.tested[by]),
                   stack(lambda r, by=by: r.counted.passed[by]),
                   stack(lambda r, by=by: r.counted.tested[by])) for by in ("depth", "progress", "round")}
    tables["all"] = tuple(t.sum(1, keepdims=True) for t in tables["depth"])
    drafts = stack(lambda r: np.full(len(r.predicted.revealed), r.counted.revealed.sum().item()))
    tables["revealed"] = (stack(lambda r: r.predicted.revealed), drafts, stack(lambda r: r.counted.revealed.sum(0)),
                          drafts)
    return tables
