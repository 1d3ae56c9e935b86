"""An autoregressive network with further heads beside the samplers of masked diffusion: what it writes, and in how many
passes. Claims multi_token.*.
"""

import sys

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.claims.claim import claim
from harness.kinds import Dataset, Scores
from harness.nets import checkpoint
from harness.nets.compiled import compiled
from harness.nets.transformer import autocast
from harness.records.measured import cached_table, newest
from harness.records.points import done, scores
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.spec import brief
from harness.stats.intervals import ratio_interval, unpaired_difference
from harness.study import Study
from ssmd.train.family import SHIPPED
from ssmd.train.optim import learning_rate
from ssmd.train.updates import batch_of
from studies.multi_token.heads import Guessed, Heads

# the autoregressive network that ships, and the text that it was trained on
TRUNK, SPLIT = SHIPPED / "judge.safetensors", "judge"
OWN, RIVAL = "autoregressive", "ssmd_dilated"
GUESSES, STEPS, ROWS, RATE, SEED = (1, 2, 4, 8), 1000, 32, 1e-3, 1
UNITS = {"spelling": "share of words", "ngram": "n-gram nats per token"}
NAME, COLUMNS = "several heads", ("sampler", "setting", "metric", "passes", "passes_low", "passes_high", "value", "low",
                                  "high")
PASSES, VALUE = COLUMNS.index("passes"), COLUMNS.index("value")


def losses(net: Heads, x: Tensor) -> list[Tensor]:
    """Nats per token of each head, teacher-forced: the state at l, which has read x before l, guesses x at l + 1 + its
    number.
    """
    with torch.no_grad():
        states = net.trunk(x)                                                      # (B, L, d)
    return [F.cross_entropy(head(states[:, : -1 - k]).float().transpose(1, 2), x[:, 1 + k :]) for k,
            head in enumerate(net.ahead)]


def trained(net: Heads, data: Dataset, split: str) -> Heads:
    """The heads after STEPS updates; the trunk stays as it is."""
    text, live = data.tokens(split), list(net.ahead.parameters())    # type: ignore[attr-defined]
    optimiser = torch.optim.AdamW(live, lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    for step, rows in enumerate(torch.arange(STEPS * ROWS).split(ROWS)):
        with autocast("cpu"):
            found = losses(net, batch_of(text, rows, data.length, SEED))
        torch.stack(found).sum().backward()
        nn.utils.clip_grad_norm_(live, 1.0)
        for group in optimiser.param_groups:
            group["lr"] = RATE * learning_rate(step, STEPS, STEPS // 20)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if step % 100 == 99:
            print(f"multi_token: update {step + 1} of {STEPS}, nats of the heads "
                  + " ".join(f"{loss:.3f}" for loss in found), file=sys.stderr, flush=True)
    return net.eval().requires_grad_(False)


def wrote(net: Heads, study: Study, k: int) -> tuple[Tensor, np.ndarray]:
    """Rows (n, L) with k guesses a pass, and the passes of each (n,)."""
    ledger = Ledger(study.n, study.data.length, net.mask)
    x = sample(Guessed(k), {"main": net}, torch.full((study.n, study.data.length), net.mask), study.seed, study.batch,
               ledger=ledger)
    return x, ledger.drafts.double().numpy()


def _rows(study: Study, store: Store) -> list[list]:
    """One row a sampler, setting and metric. Passes: NFE A for networks of masked diffusion, whole passes for the
    autoregressive one.
    """
    ones, made, rivals = np.ones(study.n), [], []

    def add(sampler: str, setting: str, metric: str, passes: np.ndarray, found: Scores) -> None:
        made.append([sampler, setting, metric, *ratio_interval(passes, ones)[:3],
                     *ratio_interval(found.numerator, found.denominator)[:3]])    # type: ignore[arg-type]

    for arm in study.arms:
        for record in done(store, arm.name, study.n):
            for metric in study.metrics:
                if found := scores(store, record["key"], metric.name):
                    setting, passes = brief(record["cell"]["sampler"]), store.get("costs", record["key"])[:, 0]
                    add(arm.name, setting, metric.name, passes, found)
                    rivals += [(setting, metric, passes, found)] if arm.name == RIVAL else []
    net = trained(Heads(checkpoint.load(TRUNK), max(GUESSES)), study.data, SPLIT)    # type: ignore[arg-type]
    net = compiled(net) if study.compiled else net    # type: ignore[assignment, arg-type]
    for k in GUESSES:
        print(f"multi_token: {study.n} rows with {k} guesses a pass", file=sys.stderr, flush=True)
        x, passes = wrote(net, study, k)
        for metric in study.metrics:
            add(OWN, str(k), metric.name, passes, metric.score(x, study.data))
        for setting, metric, theirs, found in rivals:
            d = unpaired_difference(metric.score(x, study.data), found)
            made.append([f"{OWN} minus {RIVAL}", f"{k}, {setting}", metric.name, *ratio_interval(passes, theirs)[:3],
                         *d[:3]])    # type: ignore[arg-type]
    return made


def measure(study: Study, store: Store) -> list[dict]:
    """The heads' training and what they write, beside the cells; nothing before the held-out rows are in the store."""
    known = {r["key"]: r for arm in study.arms for r in done(store, arm.name, study.n)}
    cells = [known[cell.key()] for cell in cells_of(study) if cell.key() in known]
    settings = {"trunk": checkpoint.load(TRUNK).sha256, "guesses": list(GUESSES), "steps": STEPS, "rows": ROWS,
                "rate": RATE, "seed": SEED}
    return (
        [cached_table(store, study.name, NAME, COLUMNS, lambda: _rows(study, store), cells, **settings)]
        if done(store, "held_out", study.n)
        else []
    )


def claims(store: Store, command: str) -> list[dict]:
    """multi_token.passes.kK, and with the most guesses its quality minus that of the self-speculative sampler at the
    setting of most passes.
    """
    record = newest(store, NAME)
    if record is None:
        print("multi_token: no claim, nothing is measured; run the study without --only")
        return []
    n, made = done(store, "held_out")[0]["cell"]["n"], []
    own = {int(row[1]): row for row in record["rows"] if row[0] == OWN and row[2] == "spelling"}
    for k, row in own.items():
        made.append(claim(f"multi_token.passes.k{k}", *row[PASSES:VALUE],
                          "whole passes of the autoregressive network a row", n, command, [*record["cells"]],
                          f"{k} guesses a pass; its spelling {row[VALUE]:.3f}"))
    widest = max((row for row in record["rows"] if row[0] == RIVAL), key=lambda row: row[PASSES], default=None)
    for metric in ("spelling", "ngram"):
        for row in record["rows"] if widest else ():
            if row[:3] == [f"{OWN} minus {RIVAL}", f"{max(own)}, {widest[1]}", metric]:    # type: ignore[index]
                passes = " against ".join(f"{side[PASSES]:.1f}"
                                          for side in (own[max(own)], widest))    # type: ignore[index]
                note = f"{max(own)} guesses a pass against {widest[1]}; passes {passes}"    # type: ignore[index]
                made.append(claim(f"multi_token.{metric}_minus_dilated", *row[VALUE:], UNITS[metric], n, command,
                                  [*record["cells"]], note))
    return made
