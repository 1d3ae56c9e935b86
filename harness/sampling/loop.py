"""The one sampling loop. A batch is a queue: finished rows leave, new rows enter, until every row is written.

A row's draws are keyed by its own number, so its sample does not depend on the batch it rides in; see
harness/random.py.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from harness.kinds import Denoiser, Rows, Sampler
from harness.nets.wrap import Alive
from harness.sampling.ledger import Ledger, Metered

ASK = 64    # rounds between two looks at the patience: a look makes the host wait for its device


def _join(a: Rows | None, b: Rows) -> Rows:
    if a is None or not len(a.id):
        return b
    x, given, ids, n = (torch.cat((getattr(a, f), getattr(b, f))) for f in ("x", "given", "id", "n"))
    return Rows(x, given, ids, n, a.seed, {k: torch.cat((a.memo[k], b.memo[k])) for k in b.memo})


def _keep(rows: Rows, kept: Tensor) -> Rows:
    return Rows(rows.x[kept], rows.given[kept], rows.id[kept], rows.n[kept], rows.seed,
                {k: v[kept] for k, v in rows.memo.items()})


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
    out = prompts.clone()
    waiting = (prompts == mask).any(1).nonzero()[:, 0]                             # rows with something to write
    live, slots, finished, rounds, patience = None, waiting[:0], n - len(waiting), 0, 64 * length + 8192
    while len(waiting) or len(slots):
        room = batch - len(slots) if queue or not len(slots) else 0
        if room and len(waiting):
            entering, waiting = waiting[:room], waiting[room:]
            x = prompts[entering]
            new = Rows(x, x != mask, ids[entering], torch.zeros_like(entering), seed, {})
            new = new._replace(memo=sampler.start(nets, new) if hasattr(sampler, "start") else {})
            live, slots = _join(live, new), torch.cat((slots, entering))
        assert live is not None    # the first round admits rows
        if ledger is not None:
            ledger.open(slots, live.x)
        live = sampler.step(nets, live)
        live, rounds = live._replace(n=live.n + 1), rounds + 1
        if ledger is not None:
            ledger.close(live.x)
        done = sampler.done(live) if hasattr(sampler, "done") else (live.x != mask).all(1)
        if bool(done.any()):
            out[slots[done]] = live.x[done]
            live, slots = _keep(live, ~done), slots[~done]
            finished += int(done.sum())
            progress(finished)
        elif not rounds % ASK and int(live.n.max()) > patience:
            raise RuntimeError(f"{sampler.name} made {patience} rounds on one row without finishing it: its step must "
                               "write at least one token")
    assert not bool((out == mask).any()), f"{sampler.name} called a row done that has masks left"
    assert torch.equal(out[prompts != mask], prompts[prompts != mask]), f"{sampler.name} changed given tokens"
    return out
