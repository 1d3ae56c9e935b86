"""Requests that arrive by a clock, served in the places of one batch, as the queue of harness/sampling/loop.py admits
rows: a finished row leaves, the one that has waited longest enters, at the next round.

Arrivals are a function of the seed: gaps are exponential, -ln(u) / rate, u the uniform of (seed, request, stream DATA).
A request's draws are keyed by its own number, so what it gets does not hang on when it came or beside whom it was
served.
"""

import time
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows, Sampler
from harness.nets.wrap import Alive
from harness.random import Stream, uniform
from harness.sampling.riders import Riders, joined

GAP = (1 << 40) + 7    # place of the draw of a request's gap


class Clock:
    """Seconds since it was made, of the machine."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()

    def now(self) -> float:
        return time.perf_counter() - self.begun

    def wait(self, until: float) -> None:
        time.sleep(max(0.0, until - self.now()))


class Served(NamedTuple):
    x: Tensor            # (n, L) what was written
    admitted: Tensor     # (n,) float64 seconds of the clock, as are the next two
    first: Tensor        # when the first block of a row stood
    finished: Tensor
    most: int            # rows that were served at once


def arrivals(n: int, rate: float, seed: int = 0) -> Tensor:
    """(n,) float64 seconds, `rate` requests a second on average; a higher rate brings the same requests sooner."""
    u = uniform(seed, torch.arange(n), Stream.DATA, torch.tensor([GAP]))[:, 0]     # (n,)
    return (-u.log() / rate).cumsum(0)


@torch.inference_mode()
def serve(sampler: Sampler, net: Denoiser, prompts: Tensor, arrival: Tensor, places: int, block: int, seed: int = 0,
          clock: Any = None) -> Served:
    """prompts (n, L), each with a mask in it; arrival (n,) seconds, ascending; `places` rows at most at once; `block`
    tokens at the left are the first that a reader sees. The clock begins with the call.
    """
    clock, n, nets, masks = clock or Clock(), len(prompts), {"main": Alive(net)}, prompts == net.mask
    if not bool(masks.any(1).all()):
        raise ValueError("a request without a mask has nothing to be written: leave it out")
    out, admitted, first, finished = prompts.clone(), *(torch.full((n,), torch.nan, dtype=torch.float64)
                                                        for _ in range(3))
    live, next_, most = None, 0, 0    # rows in flight
    while next_ < n or live is not None:
        if live is None:
            clock.wait(float(arrival[next_]))
        now, riding = clock.now(), 0 if live is None else len(live.slots)
        came = int((arrival <= now).sum()) - next_
        entering = torch.arange(next_, next_ + min(came, places - riding))
        if len(entering):
            next_ += len(entering)
            ids, admitted[entering] = entering.to(prompts.device), now
            x = prompts[ids]
            new = Rows(x, x != net.mask, ids, torch.zeros_like(ids), seed, {})
            new = new._replace(memo=sampler.start(nets, new) if hasattr(sampler, "start") else {})
            entered = Riders(new, ids, np.zeros((0, len(ids))))
            live = entered if live is None else joined(live, entered)
        if live is None:    # a clock that woke too early
            continue
        most = max(most, len(live.slots))
        rows = sampler.step(nets, live.told())
        rows, now = rows._replace(n=rows.n + 1), clock.now()
        live, slots = live._replace(rows=rows), live.slots.cpu()
        stands = (rows.x[:, :block] != net.mask).all(1).cpu() & first[slots].isnan()
        first[slots[stands]] = now
        done = sampler.done(rows) if hasattr(sampler, "done") else (rows.x != net.mask).all(1)    # (B,)
        known = done.cpu()
        if bool(known.any()):
            finished[slots[known]] = now
            to, written, live = live.parted(done, known.numpy())
            out[to] = written
            live = live if len(live.slots) else None
    return Served(out, admitted, first, finished, most)
