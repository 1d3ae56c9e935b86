"""Requests that arrive by a clock, served in the places of one batch, as the queue of harness/sampling/loop.py admits
rows: a finished row leaves, the one that has waited longest enters, at the next round.

Arrivals are a function of the seed: gaps are exponential, -ln(u) / rate, u the uniform of (seed, request, stream DATA).
A request's draws are keyed by its own number, so what it gets does not hang on when it came or beside whom it was
served.
"""

import time
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows, Sampler
from harness.nets.wrap import Alive
from harness.random import Stream, uniform
from harness.sampling.loop import _join, _keep

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
    live, slots, next_, most = None, torch.arange(0), 0, 0    # slots (B,) on the host: rows in flight
    while next_ < n or len(slots):
        if next_ < n and not len(slots):
            clock.wait(float(arrival[next_]))
        now = clock.now()
        came = int((arrival <= now).sum()) - next_
        entering = torch.arange(next_, next_ + min(came, places - len(slots)))
        if len(entering):
            next_ += len(entering)
            ids, admitted[entering] = entering.to(prompts.device), now
            x = prompts[ids]
            new = Rows(x, x != net.mask, ids, torch.zeros_like(ids), seed, {})
            new = new._replace(memo=sampler.start(nets, new) if hasattr(sampler, "start") else {})
            live, slots = _join(live, new), torch.cat((slots, entering))
        if live is None or not len(slots):    # a clock that woke too early
            continue
        most = max(most, len(slots))
        live = sampler.step(nets, live)
        live, now = live._replace(n=live.n + 1), clock.now()
        stands = (live.x[:, :block] != net.mask).all(1).cpu() & first[slots].isnan()
        first[slots[stands]] = now
        done = (sampler.done(live) if hasattr(sampler, "done") else (live.x != net.mask).all(1)).cpu()
        finished[slots[done]], out[slots[done]] = now, live.x[done]
        live, slots = _keep(live, ~done), slots[~done]
    return Served(out, admitted, first, finished, most)
