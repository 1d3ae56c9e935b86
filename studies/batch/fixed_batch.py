"""Stragglers: what a device with a fixed batch executes while rows need unlike numbers of passes.

A row's rounds do not depend on its company (harness/random.py), so its passes are watched once and every batch size and
order of rows follows from them. In a round each kind of pass runs as often as the row that wants most of them, always
over all places of the batch, as a compiled graph does. With the queue the place of a finished row is taken by the next
in the following round; without it a batch waits for its last row. (The loop itself runs a network on the rows that want
the pass: it executes what is needed, in batches that shrink.)
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Denoiser, Sampler
from harness.random import Stream, integers
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample

KINDS = ("draft", "verify")


class Rounds(NamedTuple):
    passes: np.ndarray    # (n, T, 2) passes of each kind that a row makes in each of its rounds
    length: np.ndarray    # (n,) its rounds


class Watch(Ledger):
    """A ledger that also keeps the passes of each row round by round."""

    def __init__(self, n: int, length: int, mask: int):
        super().__init__(n, length, mask)
        self.seen: list[list[list[int]]] = [[] for _ in range(n)]

    def open(self, slots, x):
        super().open(slots, x)
        for slot in slots.tolist():
            self.seen[slot].append([0, 0])

    def post(self, call):
        super().post(call)
        slots, (_, _, _, *alive) = self._opened[0], call.of
        for slot in (slots[alive[0]] if alive else slots).tolist():
            self.seen[slot][-1][KINDS.index(call.kind)] += 1


def watched(sampler: Sampler, nets: Mapping[str, Denoiser], prompts: Tensor, seed: int,
            batch: int) -> tuple[Rounds, Tensor]:
    """The rounds of prompts (n, L), and the rows written."""
    ledger = Watch(len(prompts), prompts.shape[1], next(iter(nets.values())).mask)
    x = sample(sampler, nets, prompts, seed, batch, ledger=ledger)
    length = np.array([len(rounds) for rounds in ledger.seen])
    passes = np.zeros((len(prompts), length.max(), 2), np.int64)
    for row, rounds in enumerate(ledger.seen):
        passes[row, : len(rounds)] = rounds
    return Rounds(passes, length), x


def executed(rounds: Rounds, order: np.ndarray, batch: int, queue: bool) -> np.ndarray:
    """Passes of the whole batch by kind, for R runs over rows order (R, m) -> (R, 2). Times `batch` they are passes of
    rows.
    """
    return _queued(rounds, order, batch) if queue else _waiting(rounds, order, batch)


def _waiting(rounds: Rounds, order: np.ndarray, batch: int) -> np.ndarray:
    total = np.zeros((len(order), 2), np.int64)
    for k in range(0, order.shape[1], batch):
        total += rounds.passes[order[:, k : k + batch]].max(1).sum(1)              # (R, B, T, 2) -> (R, 2)
    return total


def _queued(rounds: Rounds, order: np.ndarray, batch: int) -> np.ndarray:
    runs, m = order.shape
    padded = np.concatenate((order, np.full((runs, batch), -1)), 1)                # -1 is an empty place
    row, at = padded[:, :batch].copy(), np.zeros((runs, min(batch, padded.shape[1])), np.int64)      # (R, B) each
    begun, total = np.full(runs, min(batch, m)), np.zeros((runs, 2), np.int64)
    while (row >= 0).any():
        total += np.where((row >= 0)[..., None], rounds.passes[row, at.clip(max=rounds.passes.shape[1] - 1)], 0).max(1)
        at += 1
        ended = (row >= 0) & (at >= rounds.length[row])
        next_ = begun[:, None] + ended.cumsum(1) - 1                               # (R, B) places in the order
        row = np.where(ended, np.take_along_axis(padded, next_.clip(max=m), 1), row)
        at[ended] = 0
        begun = np.minimum(begun + ended.sum(1), m)
    return total


def needed(rounds: Rounds, order: np.ndarray) -> np.ndarray:
    """Passes that the rows of each run need, (R, m) -> (R, 2)."""
    return rounds.passes.sum(1)[order].sum(1)


def resampled_order(n: int, runs: int, rows: int, seed: int = 0) -> np.ndarray:
    """(1 + runs, m): the rows in order, then resamples of them; each over and over until there are `rows`."""
    drawn = integers(seed, torch.arange(runs), Stream.RESAMPLE, torch.arange(n), n)
    return torch.cat((torch.arange(n)[None], drawn)).repeat(1, -(-rows // n)).numpy()
