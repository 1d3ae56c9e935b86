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

A verify pass shows `y` to the network. What the row holds afterwards shows what became of it: a rejected token is
always replaced by another (the residual law gives the rejected one no weight), so the first difference is the first
rejection. A sampler that verifies by draft passes shows its drafts to `tried` of that network, which costs nothing.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from harness.kinds import Denoiser
from harness.nets.wrap import Wrapper
from harness.sampling import written

TENTHS = 10


class Verified(NamedTuple):
    rows: Tensor    # (b,) places in the batch
    y: Tensor       # (b, L)
    order: Tensor   # (b, L)
    at: Tensor      # (b, W) ranks tested


class Ledger:
    """Counts for n rows of length L. The loop opens and closes every round; Metered networks post to it in between."""

    def __init__(self, n: int, length: int, mask: int):
        self.n, self.length, self.mask = n, length, mask
        self.calls: dict[str, Tensor] = {}                                         # name.kind -> (n,)
        self.blocks, self.drafts, self.flops, self.tokens = (torch.zeros(n, dtype=torch.int64) for _ in range(4))
        self.tracks, self.tests, self.kept, self.rejected, self.generated, self.order, self.untied = (
            torch.zeros(n, dtype=torch.int64) for _ in range(7))
        self.by_place: Tensor | None = None        # (3, n, L) the round that wrote last, drafts kept, drafts rejected
        self._round = torch.zeros(n, dtype=torch.int32)
        self.executed_flops = self.executed_blocks = 0
        # draft rounds by tenth of progress and tokens revealed
        self.revealed = torch.zeros(TENTHS, length + 1, dtype=torch.int64)
        self.tested, self.passed = ({"depth": torch.zeros(length, dtype=torch.int64),
                                     "progress": torch.zeros(TENTHS, dtype=torch.int64),
                                     "round": torch.zeros(64, dtype=torch.int64)} for _ in range(2))
        self._slots = self._before = torch.empty(0, dtype=torch.int64)
        self._verified: list[Verified] = []

    def open(self, slots: Tensor, x: Tensor) -> None:
        """slots (B,): which of the n rows ride in this batch."""
        self._slots, self._before, self._verified = slots.cpu(), x, []

    def post(self, name: str, kind: str, net: Denoiser, alive: Tensor | None, heads: Tensor, tracks: Tensor,
             begin: Tensor) -> None:
        """One pass. heads, tracks, begin (B,): logits and causal tracks that each row wanted, and the first of these
        that was not kept.

        A sampler may show k states of each row in one draft call, side by side (x.repeat_interleave(k, 0)): k passes of
        that row. A verify call has one.
        """
        rows = torch.arange(len(heads)) if alive is None else alive.cpu().nonzero()[:, 0]
        each = len(heads) // len(self._slots)
        slots = self._slots.repeat_interleave(each)[rows]
        heads, tracks, begin = (x.cpu()[rows] for x in (heads, tracks, begin))
        calls = self.calls.setdefault(f"{name}.{kind}", torch.zeros(self.n, dtype=torch.int64))
        once = torch.ones_like(slots)
        flops = net.flops(kind, self.length, heads, tracks, begin)    # type: ignore[arg-type]  # of all rows at once
        ran = torch.where(tracks > 0, tracks - begin, self.length)
        for table, needed in ((calls, once), (self.blocks, once * net.blocks(kind)), (self.tracks, ran),
                              (self.drafts, once * (kind == "draft")), (self.flops, once * flops)):
            table.index_add_(0, slots, needed)
        self.executed_blocks += len(rows) * net.blocks(kind)
        # rows are padded to the widest of them, before as many keys as the longest has
        most, widest = (0, 0) if kind == "draft" else (int(tracks.max()), int((tracks - begin).max()))
        self.executed_flops += len(rows) * int(net.flops(kind, self.length, int(heads.max()), most, most - widest))

    def verified(self, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None) -> None:
        rows = torch.arange(len(y), device=y.device) if alive is None else alive.nonzero()[:, 0]
        self._verified.append(Verified(rows, y[rows], order[rows], at[rows]))

    def close(self, x: Tensor) -> None:
        """x (B, L) after the round."""
        had = (self._before != self.mask).sum(1).cpu()
        wrote = (x != self.mask).sum(1).cpu() - had
        self.tokens[self._slots] += wrote
        tenth = (had * TENTHS // self.length).clamp_max(TENTHS - 1)                # a row may be full and yet not done
        self.revealed.index_put_((tenth, wrote.clamp_min(0)), torch.ones_like(had), accumulate=True)
        row, place = ((x != self._before) & (x != self.mask)).cpu().nonzero().unbind(1)              # (tokens,) each
        if self.by_place is None:
            self.by_place = torch.zeros(3, self.n, self.length, dtype=torch.int32)
            self.by_place[0] = written.NEVER
        when, *kinds = self.by_place                                               # (n, L) each
        now = self._round[self._slots]                                             # (B,)
        when[self._slots[row], place] = now[row]
        self._round[self._slots] = now + 1
        after = x.clone()
        for round_ in range(len(self._verified) - 1, -1, -1):
            rows, y, order, at = self._verified[round_]
            place = order.gather(1, at.clamp_min(0))                               # (b, W)
            same = (y.gather(1, place) == after[rows].gather(1, place)) | (at < 0)
            intact = same.int().cumprod(1).bool()
            drafted = (at >= 0) & (y.gather(1, place) != self.mask)  # a verify pass without drafts tests nothing
            tested = (torch.cat((torch.ones_like(intact[:, :1]), intact[:, :-1]), 1) & drafted).cpu()
            passed = tested & intact.cpu()
            slots, where = self._slots[rows.cpu()], place.cpu()                    # (b,), (b, W)
            self.tests.index_add_(0, slots, tested.any(1).long())
            for table, chosen in zip(kinds, (passed, tested & ~passed)):
                row, column = chosen.nonzero().unbind(1)                           # (drafts,) each, of distinct places
                table[slots[row], where[row, column]] += 1
            start = torch.where(at < 0, self.length, at).amin(1, keepdim=True)
            depth, progress = (at - start).cpu(), (at * TENTHS // self.length).cpu()
            for tables, chosen in ((self.tested, tested), (self.passed, passed)):
                tables["depth"] += torch.bincount(depth[chosen], minlength=self.length)
                tables["progress"] += torch.bincount(progress[chosen], minlength=TENTHS)
                tables["round"][min(round_, 63)] += chosen.sum()
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
        self.ledger.post(self.name, "draft", self.net, alive, heads, *(self.net.span(at) or (none, none)))
        return self.net.draft(x, at, alive, clock)

    def verify(self, hidden, y, order, at, alive=None):
        self.ledger.post(self.name, "verify", self.net, alive, (at >= 0).sum(1), at.amax(1) + 1,
                         self.net.begin(hidden, y, order, at))
        self.ledger.verified(y, order, at, alive)
        return self.net.verify(hidden, y, order, at, alive)

    def tried(self, y, order, at):
        self.ledger.verified(y, order, at, None)
