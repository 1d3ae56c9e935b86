"""The causal block trained further on short rows, by the usual loss or by the exact likelihood of the sampler that uses
it: all else alike. Claims exact_bound.*.
"""

import sys
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from harness.claims.claim import claim
from harness.kinds import Dataset, Scores
from harness.nets.transformer import autocast
from harness.random import Stream, permutation
from harness.records.measured import cached_table, column, newest
from harness.records.points import done
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.window import Open
from harness.stats.intervals import paired_difference, ratio_interval
from harness.study import Study
from ssmd import likelihood
from ssmd.likelihood import NEVER, accepted_and_replaced
from ssmd.model import Hybrid
from ssmd.sampler import SelfSpeculative
from ssmd.train.optim import Average, learning_rate, optimisers
from ssmd.train.updates import CAUSAL

SEEDS, STEPS, ROWS, RATE = (1, 2, 3), 400, 16, 5e-4
ROUNDS = (1, 10)    # of the samplers that are looked at; the exact bound trained on is that of one round
# seed 0: of them all
NAME, COLUMNS = "trained further", ("objective", "seed", "rounds", "nats", "nats_low", "nats_high", "passes",
                                    "passes_low", "passes_high")


def tables(net: Hybrid, x: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """log p_i^k and log q_i^k of the true tokens, x and order (n, D) -> (n, D, D) float64 each; q keeps its gradient, p
    has none. -inf where k < i.

    `likelihood.tables` without its batches and in the precision of training.
    """
    n, D = x.shape
    i, ranks = torch.arange(D).repeat(n)[:, None], torch.arange(D)                     # (n D, 1), (D,)
    x, order = (part.repeat_interleave(D, 0) for part in (x, order))                   # (n D, D)
    late, true = ranks >= i, x.gather(1, order)[..., None]                             # (n D, D), (n D, D, 1)
    with autocast("cpu"):
        with torch.no_grad():
            h = net.hidden(torch.where(order.argsort(1) >= i, net.mask, x))            # (n D, D, d)
            p = net.logits(h.gather(1, order[..., None].expand_as(h)))                 # (n D, D, V) by rank
        q = net.target_logits(net.target_hidden(h, x, order, D))                       # (n D, D, V)
    found = (logits.double().log_softmax(-1).gather(-1, true)[..., 0].where(late, NEVER) for logits in (p, q))
    return tuple(table.view(n, D, D) for table in found)    # type: ignore[return-value]


def exact(logp: Tensor, logq: Tensor) -> Tensor:
    """log p(x | sigma) of the basic sampler (no window, one verify round), (n,) with gradient:
    `likelihood.recursion(..., Open(), 1)`, which has none.
    """
    (loga, logr), D = accepted_and_replaced(logp, logq), logp.shape[-1]
    L = [logp.new_zeros(len(logp))]  # of D, D - 1, ... tokens revealed, (n,) each
    for i in reversed(range(D)):
        taken = loga[:, i, i:].cumsum(-1)  # (n, D - i) all accepted up to here
        rejected = torch.cat((torch.zeros_like(taken[:, :1]), taken[:, :-1]),
                             1) + logr[:, i, i:] + torch.stack(L[::-1], 1)
        L.append(torch.cat((rejected, taken[:, -1:]), 1).logsumexp(1))
    return L[-1]


def by_loss(logp: Tensor, logq: Tensor) -> Tensor:
    """The second term of the usual loss on the same tables: mean over i of D/(D-i) times the sum of -log q, nats a row,
    (n,).
    """
    del logp
    D = logq.shape[-1]
    weight = 1 / torch.arange(D, 0, -1, dtype=torch.float64)  # (D,) D/(D-i), over the D values of i
    return (weight[:, None] * torch.where(logq == NEVER, 0.0, -logq)).sum((1, 2))


OBJECTIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "loss": by_loss, "bound": lambda logp, logq: -exact(logp, logq)}


def trained(net: Hybrid, data: Dataset, objective: str, seed: int) -> Hybrid:
    """The causal part of this network after STEPS updates of ROWS rows; the draft stays as it is."""
    for name, p in net.named_parameters():
        p.requires_grad_(name.startswith(CAUSAL))
    x, order = data.rows("train", STEPS * ROWS, seed), permutation(seed, torch.arange(STEPS * ROWS), Stream.TRAIN,
                                                                   data.length)
    made, average = optimisers(net, "muon", RATE, 0.0, (0.9, 0.95)), Average(net, 0.99)
    for step, rows in enumerate(torch.arange(STEPS * ROWS).split(ROWS)):
        (OBJECTIVES[objective](*tables(net, x[rows], order[rows])).mean() / data.length).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for optimiser in made:
            for group in optimiser.param_groups:
                group["lr"] = group["peak_lr"] * learning_rate(step, STEPS, STEPS // 20)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        average.update(net, step + 1)
    net.load_state_dict(net.state_dict() | average.shadow)
    return net.eval().requires_grad_(False)


@torch.inference_mode()
def looked(net: Hybrid, study: Study) -> dict[tuple[int, str], np.ndarray]:
    """(rounds, quantity) -> (n,): nats of held-out rows under the sampler's own law, and blocks that it runs on rows it
    writes.
    """
    x, rows, L = study.data.rows("test", study.n, study.seed), torch.arange(study.n), study.data.length
    order = permutation(study.seed, rows, Stream.ORDER, L)
    logp, logq = likelihood.tables(net, x, order)
    found = {}
    for rounds in ROUNDS:
        found[rounds, "nats"] = -likelihood.recursion(logp, logq, Open(), rounds).numpy()    # type: ignore[arg-type]
        ledger = Ledger(study.n, L, net.mask)
        sample(SelfSpeculative(Open(), rounds), {"main": net}, torch.full((study.n, L), net.mask), study.seed,
               study.batch, ledger=ledger)
        found[rounds, "blocks"] = ledger.blocks.double().numpy()
    return found


def _rows(study: Study) -> list[list]:
    def load() -> Hybrid:
        return study.nets["hybrid"].load("cpu")    # type: ignore[return-value]

    blocks = study.nets["heavy"].load("cpu").blocks("draft")
    found: dict[tuple[str, int], dict] = {("start", 0): looked(load(), study)}
    for seed in SEEDS:
        for objective in OBJECTIVES:
            print(f"exact_bound: {objective}, seed {seed}: {STEPS} updates", file=sys.stderr, flush=True)
            found[objective, seed] = looked(trained(load(), study.data, objective, seed), study)

    def side(objective: str, rounds: int, quantity: str) -> np.ndarray:
        # (n,) over seeds
        return np.mean([here[rounds, quantity] for (name, _), here in found.items() if name == objective], 0)

    tokens, made = np.full(study.n, float(study.data.length)), []
    for (objective, seed), here in found.items():
        for rounds in ROUNDS:
            spans = (
                ratio_interval(here[rounds, "nats"], tokens),
                ratio_interval(here[rounds, "blocks"], np.full(study.n, float(blocks))),
            )
            made.append([objective, seed, rounds, *(x for v in spans for x in v[:3])])
    for rounds in ROUNDS:
        for one, other in (("bound", "loss"), ("loss", "start")):
            d = paired_difference(*(Scores(0.0, side(name, rounds, "nats"), tokens) for name in (one, other)))
            made.append([f"{one} against {other}", 0, rounds, *d[:3],
                         *ratio_interval(side(one, rounds, "blocks"), side(other, rounds, "blocks"))[:3]])
    return made


def measure(study: Study, store: Store) -> list[dict]:
    """Both trainings from the same start, and what the sampler then does; nothing before the held-out rows are in the
    store.
    """
    known = {r["key"]: r for r in done(store, "held_out", study.n)}
    cells = [known[cell.key()] for cell in cells_of(study) if cell.key() in known]
    settings = {name: study.nets[name].load("cpu").sha256
                for name in study.nets} | {"seeds": list(SEEDS), "steps": STEPS, "rows": ROWS, "rate": RATE}
    return [cached_table(store, study.name, NAME, COLUMNS, lambda: _rows(study), cells, **settings)] if cells else []


def claims(store: Store, command: str) -> list[dict]:
    """exact_bound.nats[.N10], bound minus loss; exact_bound.passes[.N10], bound over loss;
    exact_bound.loss_minus_start: what the steps are worth at all.
    """
    record = newest(store, NAME)
    if record is None:
        print("exact_bound: no claim, nothing is measured; run the study without --only")
        return []

    def read(objective: str, rounds: int, quantity: str, seed: int = 0) -> list[float]:
        return [column(record, f"{quantity}{end}", objective=objective, rounds=rounds, seed=seed)[0]
                for end in ("", "_low", "_high")]

    n, key, made = done(store, "held_out")[0]["cell"]["n"], [*record["cells"]], []
    nats, together = "nats per token, its own law, paired", f"{len(SEEDS)} seeds of {STEPS} updates together"
    for rounds, tail in zip(ROUNDS, ("", ".N10")):
        each = ", ".join(f"{read('bound', rounds, 'nats', seed)[0] - read('loss', rounds, 'nats', seed)[0]:+.4f}"
                         for seed in SEEDS)
        made += [claim(f"exact_bound.nats{tail}", *read("bound against loss", rounds, "nats"), nats, n, command, key,
                       f"{together}; each: {each}"),
                 claim(f"exact_bound.passes{tail}", *read("bound against loss", rounds, "passes"), "NFE A / NFE A", n,
                       command, key, together)]
    return [*made, claim("exact_bound.loss_minus_start", *read("loss against start", 1, "nats"), nats, n, command, key,
                         together)]
