"""A network whose passes are CUDA graphs: captured once for each shape, replayed as one launch.

The places where logits are wanted are padded to a power of two, and so is how far a verify pass sees, so that a run
needs few graphs. A draft pass reads and writes fixed tensors of its graph. Verify passes leave something behind for
each other: keys, values and what each was made of. All passes of one shape of rows keep that in one slot, which belongs
to the draft pass that was verified last. The first verify pass of another takes the slot over and computes every track
that it wants; passes behind it compute those of a window. A verify pass that nothing was promised about (Kept.promise),
or that takes a part of the rows, is passed on.

On a device without graphs the passes run as ever, draft passes on the same padded places. `record` takes the place of a
capture, so that a test on such a device sees the fixed tensors.
"""

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.kinds import Denoiser
from harness.nets.wrap import Wrapper
from ssmd.model import Kept

Recorder = Callable[[Callable[[], Any]], tuple[Callable[[], None], Any]]    # as `captured`
MOST, WARM = 96, 3    # graphs, each of which holds memory; passes before a capture


class Recorded(NamedTuple):
    """A pass: fill the tensors that it `reads`, replay it, and those that it `writes` are new."""

    reads: dict[str, Tensor]
    replay: Callable[[], None]
    writes: Any


@cache
def pool() -> Any:
    """Memory that all graphs share: what one writes is copied before another is replayed."""
    return torch.cuda.graph_pool_handle()


def captured(work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
    """What replays some work on a CUDA device, and the tensors that it writes."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(WARM):
            work()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool()):
        writes = work()
    return graph.replay, writes


class Slot:
    """What the verify passes of one shape of rows share, in fixed tensors: states of the draft pass `of`, and what was
    kept beside them.
    """

    def __init__(self, states: Tensor):
        self.of: Kept | None = None
        self.kept = Kept(torch.empty_like(states))
        self.made_of = torch.full(states.shape[:2], Kept.NOTHING, device=states.device)    # (B, L)


class Graphed(Wrapper):
    """Of a network that reads no clock."""

    def __init__(self, net: Denoiser, record: Recorder | None = None):
        super().__init__(net)
        self.record, self.made, self.slots = record, dict[Hashable, Recorded](), dict[Hashable, Slot]()
        self.replayed = self.passed_on = 0    # passes

    def draft(self, x, at=None, alive=None, clock=None):
        wanted, at = (x.shape[1], None) if at is None else (at.shape[1], padded(at))
        key = ("draft", x.shape, None if at is None else at.shape)
        if not self._can(key, x):
            self.passed_on += 1
            logits, hidden = self.net.draft(x, at, None, None)
            return logits[:, :wanted], hidden
        reads = {"x": x} | ({} if at is None else {"at": at})
        logits, hidden = self._replayed(
            key, reads, lambda fixed: self.net.draft(fixed["x"], fixed.get("at"), None, None))
        return logits[:, :wanted].clone(), copied(hidden)

    def verify(self, hidden, y, order, at, alive=None):
        longest, wide = _longest(hidden, y.shape[1]), padded(at)
        slot = self.slots.get(y.shape)
        first = slot is None or slot.of is not hidden
        key = ("verify", y.shape, wide.shape, longest, first)
        if not longest or not self._can(key, y):
            self.passed_on += 1
            if slot is not None and not first:
                slot.of = None    # what passes keep is with the states from here on
            return self.net.verify(hidden, y, order, at, alive)
        if slot is None:
            slot = self.slots[y.shape] = Slot(hidden.whole)
        if first:
            slot.of = hidden
            slot.kept.whole.copy_(hidden.whole)
        logits = self._replayed(key, {"y": y, "order": order, "at": wide},
                                lambda fixed: self._verified(slot, first, longest, **fixed), slot.made_of)
        return logits[:, : at.shape[1]].clone()

    def begin(self, hidden, y, order, at):
        slot = self.slots.get(y.shape)
        return self.net.begin(slot.kept if slot is not None and slot.of is hidden else hidden, y, order, at)

    def _verified(self, slot: Slot, first: bool, longest: int, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        """The pass as it is captured: what it keeps stays where it is."""
        if first:
            slot.made_of.fill_(Kept.NOTHING)
        width = longest if first else at.shape[1]
        slot.kept.memory |= {"made_of": slot.made_of, "promised": (width, longest), "passed": True}
        logits = self.net.verify(slot.kept, y, order, at)
        slot.made_of.copy_(slot.kept.memory["made_of"])
        slot.kept.memory["made_of"] = slot.made_of
        return logits

    def _can(self, key: Hashable, x: Tensor) -> bool:
        able = self.record is not None or x.device.type == "cuda"
        return able and (key in self.made or len(self.made) < MOST)

    def _replayed(self, key: Hashable, reads: dict[str, Tensor], work: Callable[[dict[str, Tensor]], Any],
                  *changes: Tensor) -> Any:
        """What the work writes. A recording runs it; `changes` are then as they were before."""
        if key not in self.made:
            fixed, before = {name: tensor.clone() for name, tensor in reads.items()}, [t.clone() for t in changes]
            self.made[key] = Recorded(fixed, *(self.record or captured)(lambda: work(fixed)))
            for tensor, as_it_was in zip(changes, before):
                tensor.copy_(as_it_was)
        one = self.made[key]
        for name, tensor in reads.items():
            one.reads[name].copy_(tensor)
        one.replay()
        self.replayed += 1
        return one.writes


def padded(at: Tensor) -> Tensor:
    """Places (B, W) with -1 up to the next power of two."""
    return F.pad(at, (0, _power(at.shape[1]) - at.shape[1]), value=-1)


def copied(hidden: Any) -> Any:
    """Hidden states of a pass that the next replay does not overwrite."""
    return Kept(hidden.whole.clone()) if isinstance(hidden, Kept) else hidden.clone()


def _power(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _longest(hidden: Any, length: int) -> int:
    """How far verify passes on these states see, padded; 0 where that was not promised, or of a part of the rows."""
    if not isinstance(hidden, Kept) or hidden.rows is not None or hidden.promised is None:
        return 0
    return min(_power(hidden.promised[1]), length)
