"""The ledger: samplers cannot count, so it reads passes from the calls, tokens from the masks, and rejections from what
changed.

Per row it keeps what the row *needed*; per run, what the device *executed* (padding of heads and tracks included):

    calls      passes by (network, kind), e.g. "main.draft"
    blocks     transformer blocks: over the reference network's they are NFE convention A
    drafts     draft passes of any network: convention B
    flops      logits where wanted only: convention C
    tracks     tokens that its passes ran through a network: over L they are token-forwards
    tests      verify passes that tested drafts
    kept       drafts that passed, and rejected, drafts that did not, at places up to the end of the text
    generated, order, untied    of what it has written (harness/sampling/written.py)

Nothing is counted while a round runs: what its calls were is kept where it lies, and brought to the host by one copy
when the round is over. On a device a verify pass runs the whole batch, so that nobody asks which rows are alive; what
is charged are the rows alive, as on a CPU, which runs no others.

A verify pass shows `y` to the network. What the row holds afterwards shows what became of it: a rejected token is
always replaced by another (the residual law gives the rejected one no weight), so the first difference is the first
rejection. A sampler that verifies by draft passes shows its drafts to `tried` of that network, which costs nothing.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Denoiser
from harness.nets.wrap import Wrapper
from harness.sampling import written

TENTHS = 10


class Call(NamedTuple):
    """A pass. heads, tracks, begin (b,): logits and causal tracks that each row wanted, and the first of these that was
    not kept.

    A sampler may show k states of each row in one draft call, side by side (x.repeat_interleave(k, 0)): k passes of
    that row, and b = k B. A verify call has one.
    """

    name: str
    kind: str
    net: Denoiser
    of: tuple[Tensor, ...]    # heads, tracks, begin, and which rows were alive (b,) unless all were


class Verified(NamedTuple):
    y: Tensor               # (B, L)
    order: Tensor           # (B, L)
    at: Tensor              # (B, W) ranks tested
    alive: Tensor | None    # (B,)


def brought(tensors: Sequence[Tensor]) -> list[np.ndarray]:
    """Tensors of whole numbers on the host, by one copy of all that lie elsewhere."""
    away = [t for t in tensors if t.device.type != "cpu"]
    if not away:
        return [t.numpy() for t in tensors]
    flat = torch.cat([t.reshape(-1).long() for t in away]).cpu().numpy()
    parts = iter(np.split(flat, np.cumsum([t.numel() for t in away])[:-1]))
    return [t.numpy() if t.device.type == "cpu" else next(parts).reshape(t.shape) for t in tensors]


def _add(table: np.ndarray, rows: Any, more: Any) -> None:
    table[rows] += more


class Ledger:
    """Counts for n rows of length L. The loop opens and closes every round; Metered networks post to it in between."""

    def __init__(self, n: int, length: int, mask: int):
        self.n, self.length, self.mask = n, length, mask
        self.calls: dict[str, Tensor] = {}                                         # name.kind -> (n,)
        self.blocks, self.drafts, self.flops, self.tokens = (torch.zeros(n, dtype=torch.int64) for _ in range(4))
        self.tracks, self.tests, self.kept, self.rejected, self.generated, self.order, self.untied = (
            torch.zeros(n, dtype=torch.int64) for _ in range(7))
        self.by_place: Tensor | None = None        # (3, n, L) the round that wrote last, drafts kept, drafts rejected
        self._round = np.zeros(n, dtype=np.int32)
        self.executed_flops = self.executed_blocks = 0
        # draft rounds by tenth of progress and tokens revealed
        self.revealed = torch.zeros(TENTHS, length + 1, dtype=torch.int64)
        self.tested, self.passed = ({"depth": torch.zeros(length, dtype=torch.int64),
                                     "progress": torch.zeros(TENTHS, dtype=torch.int64),
                                     "round": torch.zeros(64, dtype=torch.int64)} for _ in range(2))
        self._opened: tuple[Tensor, Tensor] = (torch.empty(0, dtype=torch.int64),) * 2
        self._calls: list[Call] = []
        self._verified: list[Verified] = []

    def open(self, slots: Tensor, x: Tensor) -> None:
        """slots (B,): which of the n rows ride in this batch; x (B, L) before the round."""
        self._opened, self._calls, self._verified = (slots, x), [], []

    def post(self, call: Call) -> None:
        self._calls.append(call)

    def verified(self, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None) -> None:
        # copies: a sampler may go on in the same memory
        self._verified.append(Verified(y.clone(), order.clone(), at.clone(), None if alive is None else alive.clone()))

    def close(self, x: Tensor, also: Sequence[Tensor] = ()) -> list[np.ndarray]:
        """x (B, L) after the round. What else somebody wants to know comes with the same copy, and is given back."""
        sent = [*also, *self._opened, x]
        for call in self._calls:
            sent += call.of
        for y, order, at, alive in self._verified:
            sent += [y, order, at] if alive is None else [y, order, at, alive]
        known = brought(sent)
        slots, before, after, *rest = known[len(also):]
        told = iter(rest)
        for call in self._calls:
            self._count(call, slots, *(next(told) for _ in call.of))
        self._written(slots, before, after)
        tests = [[next(told) for part in verified if part is not None] for verified in self._verified]
        tests = [test for test in tests if len(test) < len(Verified._fields) or test[3].any()]    # not those of nobody
        if tests:
            after = after.copy()
        for round_ in range(len(tests) - 1, -1, -1):
            self._test(round_, slots, after, *tests[round_])
        return known[: len(also)]

    def _count(self, call: Call, slots: np.ndarray, heads: np.ndarray, tracks: np.ndarray, begin: np.ndarray,
               alive: np.ndarray | None = None) -> None:
        """Arrays as in Call; slots (B,)."""
        # a row that shows several states stands there several times
        add, slots = (np.add.at, slots.repeat(len(heads) // len(slots))) if len(heads) > len(slots) else (_add, slots)
        if alive is not None:
            if not alive.any():    # a pass that nobody waited to leave out
                return
            slots, heads, tracks, begin = (part[alive != 0] for part in (slots, heads, tracks, begin))
        kind, net, length = call.kind, call.net, self.length
        calls = self.calls.setdefault(f"{call.name}.{kind}", torch.zeros(self.n, dtype=torch.int64))
        blocks = net.blocks(kind)
        flops = net.flops(kind, length, heads, tracks, begin)    # type: ignore[arg-type]  # of all rows at once
        ran = np.where(tracks > 0, tracks - begin, length)
        for table, needed in ((calls, 1), (self.blocks, blocks), (self.tracks, ran), (self.drafts, kind == "draft"),
                              (self.flops, flops)):
            add(table.numpy(), slots, needed)
        self.executed_blocks += len(slots) * blocks
        # rows are padded to the widest of them, before as many keys as the longest has
        most, widest = (0, 0) if kind == "draft" else (int(tracks.max()), int((tracks - begin).max()))
        self.executed_flops += len(slots) * int(net.flops(kind, length, int(heads.max()), most, most - widest))

    def _written(self, slots: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        was, now = before != self.mask, after != self.mask                         # (B, L)
        had = was.sum(1)
        wrote = now.sum(1) - had                                                   # (B,)
        self.tokens.numpy()[slots] += wrote
        tenth = np.minimum(had * TENTHS // self.length, TENTHS - 1)                # a row may be full and yet not done
        np.add.at(self.revealed.numpy(), (tenth, wrote.clip(0)), 1)
        if self.by_place is None:
            self.by_place = torch.zeros(3, self.n, self.length, dtype=torch.int32)
            self.by_place[0] = written.NEVER
        row, place = ((after != before) & now).nonzero()                           # (tokens,) each
        self.by_place[0].numpy()[slots[row], place] = self._round[slots[row]]
        self._round[slots] += 1

    def _test(self, round_: int, slots: np.ndarray, after: np.ndarray, y: np.ndarray, order: np.ndarray,
              at: np.ndarray, alive: np.ndarray | None = None) -> None:
        """What became of the drafts of one verify pass; `after` (B, L) becomes what was before it."""
        assert self.by_place is not None    # what was written came first
        rows = np.arange(len(after)) if alive is None else alive.nonzero()[0]      # (b,) places in the batch
        slots, y, order, at = (slots, y, order, at) if alive is None else (part[rows] for part in (slots, y, order, at))
        each, there = np.arange(len(rows))[:, None], at >= 0                       # (b, W)
        place = order[each, np.maximum(at, 0)]
        drafts = y[each, place]
        intact = np.logical_and.accumulate((drafts == after[rows[:, None], place]) | ~there, axis=1)
        tested = there & (drafts != self.mask)    # a verify pass without drafts tests nothing
        tested[:, 1:] &= intact[:, :-1]
        self.tests.numpy()[slots] += tested.any(1)
        depth = at - np.where(there, at, self.length).min(1, keepdims=True)
        for table, chosen, *sums in ((self.by_place[1], tested & intact, self.tested, self.passed),
                                     (self.by_place[2], tested & ~intact, self.tested)):
            row, column = chosen.nonzero()                                         # (drafts,) each, of distinct places
            table.numpy()[slots[row], place[row, column]] += 1
            by = {"depth": np.bincount(depth[row, column], minlength=self.length),
                  "progress": np.bincount(at[row, column] * TENTHS // self.length, minlength=TENTHS)}
            for tables in sums:
                for name, count in by.items():
                    tables[name].numpy()[:] += count
                tables["round"].numpy()[min(round_, 63)] += len(row)
        after[rows] = y

    def end(self, x: Tensor, prompts: Tensor, end: int | None) -> None:
        """x (n, L), all rows as they are written; prompts (n, L); end: the symbol that ends a text, if there is one."""
        text = written.text(x.cpu(), end)                                          # (n, L) bool
        self.generated = (text & (prompts == self.mask).cpu()).sum(1)
        if self.by_place is not None:
            self.kept, self.rejected = (self.by_place[1:] * text).sum(2)
            self.order, self.untied = written.order(self.by_place[0])


class Metered(Wrapper):
    """A network whose every call is posted to a ledger. Answers are passed on untouched."""

    def __init__(self, net: Wrapper, name: str, ledger: Ledger):
        super().__init__(net)
        self.net: Wrapper = net
        self.name, self.ledger = name, ledger

    def draft(self, x, at=None, alive=None, clock=None):
        heads = torch.full((len(x),), x.shape[1]) if at is None else (at >= 0).sum(1)
        none = torch.zeros(len(x), dtype=torch.int64)
        self._post("draft", alive, heads, *(self.net.span(at) or (none, none)))
        return self.net.draft(x, at, alive, clock)

    def verify(self, hidden, y, order, at, alive=None):
        self._post("verify", alive, (at >= 0).sum(1), at.amax(1) + 1, self.net.begin(hidden, y, order, at))
        self.ledger.verified(y, order, at, alive)
        return self.net.verify(hidden, y, order, at, alive)

    def tried(self, y, order, at):
        self.ledger.verified(y, order, at, None)

    def _post(self, kind: str, alive: Tensor | None, *of: Tensor) -> None:
        if alive is not None and alive.dtype != torch.bool:    # numbers of rows
            alive = torch.zeros(len(of[0]), dtype=torch.bool, device=alive.device).index_fill(0, alive, True)
        self.ledger.post(Call(self.name, kind, self.net, of if alive is None else (*of, alive.clone())))
