"""A network whose draft passes are CUDA graphs: captured once for each shape, replayed as one launch.

The places where logits are wanted are padded to a power of two, so that a run needs few graphs. Verify passes stay as
they are: what they keep between each other asks the host for sizes.

On a device without graphs the passes run as ever on the same padded places.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.kinds import Denoiser
from harness.nets.wrap import Wrapper

MOST, WARM = 96, 3    # graphs, each of which holds memory; passes before a capture


class Captured(NamedTuple):
    graph: Any
    x: Tensor             # (B, L), read by the graph
    at: Tensor | None     # (B, W)
    logits: Tensor        # (B, W or L, V), written by it
    hidden: Any


def padded(at: Tensor) -> Tensor:
    """Places (B, W) with -1 up to the next power of two."""
    return F.pad(at, (0, (1 << (at.shape[1] - 1).bit_length()) - at.shape[1]), value=-1)


def copied(hidden: Any) -> Any:
    """Hidden states of a pass that the next replay does not overwrite."""
    return type(hidden)(hidden.whole.clone()) if hasattr(hidden, "whole") else hidden.clone()


class Graphed(Wrapper):
    """Of a network that reads no clock."""

    def __init__(self, net: Denoiser):
        super().__init__(net)
        self.made: dict[tuple, Captured] = {}

    def draft(self, x, at=None, alive=None, clock=None):
        wanted, at = (x.shape[1], None) if at is None else (at.shape[1], padded(at))
        key = (*x.shape, at is None or at.shape[1])
        if x.device.type != "cuda" or (key not in self.made and len(self.made) >= MOST):
            logits, hidden = self.net.draft(x, at, None, None)
            return logits[:, :wanted], hidden
        if key not in self.made:
            self.made[key] = self._captured(x, at)
        one = self.made[key]
        one.x.copy_(x)
        if at is not None:
            one.at.copy_(at)
        one.graph.replay()
        return one.logits[:, :wanted].clone(), copied(one.hidden)

    def _captured(self, x: Tensor, at: Tensor | None) -> Captured:
        x, at = x.clone(), None if at is None else at.clone()
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(WARM):
                self.net.draft(x, at, None, None)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            logits, hidden = self.net.draft(x, at, None, None)
        return Captured(graph, x, at, logits, hidden)
