"""The one sampling loop. A batch is a queue: finished rows leave, new rows enter, until every row is written.

A row's draws are keyed by its own number, so its sample does not depend on the batch it rides in; see
harness/random.py.

The host waits for its device once a round: one copy says which rows are done, how long each has been under way, what
the sampler must know of the next round (Sampler.ahead), and what a ledger counts. Rows are started a batch at a time
before there is room for them, so that what must be known of them comes with the same copy.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows, Sampler
from harness.nets.wrap import Alive
from harness.sampling.ledger import Ledger, Metered, brought
from harness.sampling.riders import Riders, joined


@torch.inference_mode()
def sample(sampler: Sampler, nets: Mapping[str, Denoiser], prompts: Tensor, seed: int, batch: int,
           ids: Tensor | None = None,
           ledger: Ledger | None = None, queue: bool = True,
           progress: Callable[[int], None] = lambda finished: None) -> Tensor:
    """Write every mask of prompts (n, L); given tokens come back unchanged. ids (n,): the row numbers that key the
    draws.

    With a ledger the networks are metered; without one they run bare. queue=False waits for a whole batch to finish
    before it admits the next one. Raises RuntimeError if a row stops making progress, AssertionError if a given token
    was changed.
    """
    n, length = prompts.shape
    ids = torch.arange(n, device=prompts.device) if ids is None else ids
    nets = {name: Alive(net) if ledger is None else Metered(Alive(net), name, ledger) for name, net in nets.items()}
    mask = next(iter(nets.values())).mask
    # a step on the CPU asks when it has to
    ahead = getattr(sampler, "ahead", None) if prompts.device.type != "cpu" else None

    def started(slots: Tensor) -> Rows:
        x = prompts[slots]
        rows = Rows(x, x != mask, ids[slots], torch.zeros_like(slots), seed, {})
        return rows._replace(memo=sampler.start(nets, rows) if hasattr(sampler, "start") else {})

    def facts(*several: Rows) -> list[Tensor]:
        return [rows.n[None, :][:0] if ahead is None else ahead(nets, rows) for rows in several]    # (K, B) each

    out = prompts.clone()
    waiting = (prompts == mask).any(1).nonzero()[:, 0]                             # rows with something to write
    finished, patience = n - len(waiting), 64 * length + 8192
    if finished < n:
        slots, waiting = waiting[:batch], waiting[batch:]
        rows = started(slots)
        ready = Riders(rows, slots, brought(facts(rows))[0])
        live = ready.split(0)[0]
    while finished < n:
        room = batch - len(live.slots) if queue or not len(live.slots) else 0
        if room and len(ready.slots):
            entering, ready = ready.split(room)
            live = joined(live, entering)
        if ledger is not None:
            ledger.open(live.slots, live.rows.x)
        rows = sampler.step(nets, live.told())
        rows = rows._replace(n=rows.n + 1)
        done = sampler.done(rows) if hasattr(sampler, "done") else (rows.x != mask).all(1)    # (B,)
        slots, waiting = (waiting[:batch], waiting[batch:]) if len(ready.slots) < batch else (waiting[:0], waiting)
        new = [started(slots)] if len(slots) else []
        asked = [done, rows.n, *facts(rows, *new)]
        known, rounds, *told = brought(asked) if ledger is None else ledger.close(rows.x, asked)
        live, known = Riders(rows, live.slots, told[0]), known != 0
        for more, its in zip(new, told[1:]):
            ready = joined(ready, Riders(more, slots, its))
        if known.any():
            finished += int(known.sum())
            to, written, live = live.parted(done, known)
            out[to] = written
            progress(finished)
        elif rounds.max() > patience:
            raise RuntimeError(f"{sampler.name} made {patience} rounds on one row without finishing it: its step must "
                               "write at least one token")
    assert not bool((out == mask).any()), f"{sampler.name} called a row done that has masks left"
    assert torch.equal(out[prompts != mask], prompts[prompts != mask]), f"{sampler.name} changed given tokens"
    return out
