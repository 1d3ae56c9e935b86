"""Attention of the causal block at verify passes on held-out text, by groups of tracks and depth.

Claims attention.{drafted, beside_revealed, beside_drafted, drafted_over_revealed}.
"""

import numpy as np
import torch

from harness.claims.claim import claim
from harness.random import Stream, from_logits, permutation, uniform
from harness.records.measured import cached_table, column, newest
from harness.records.points import done
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.sampling.reveal import fill, places, ranks_between
from harness.stats.intervals import ratio_interval
from harness.study import Study
from ssmd.attention import GROUPS, attention, by_group

STAGES, WINDOW, DEPTHS, BATCH = 8, 32, (1, 2, 3, 4, 6, 8, 12, 16, 24, 32), 64
# depth 0: depths 2 to 32 together
NAME, COLUMNS, ALL = "attention", ("group", "depth", "quantity", "value", "low", "high"), 0


def looked(study: Study, net) -> tuple[np.ndarray, np.ndarray]:
    """Attention and share of tracks, (n, stages, depths, groups) each: real text revealed up to a stage in a uniform
    order, the next 32 ranks drafted side by side.
    """
    x, made = study.data.rows("test", study.n, study.seed), []
    for rows in torch.arange(study.n).split(BATCH):
        order = permutation(study.seed, rows, Stream.ORDER, study.data.length)     # (B, L)
        for stage in range(STAGES):
            i = torch.full_like(rows, stage * (study.data.length - WINDOW) // (STAGES - 1))
            ranks = ranks_between(i, i + WINDOW)
            at = places(order, ranks)                                              # (B, 32)
            shown = torch.where(order.argsort(1) < i[:, None], x[rows], net.mask)
            logits, hidden = net.draft(shown, at)
            tokens, _ = from_logits(logits, uniform(study.seed, rows, Stream.DRAFT, stage * study.data.length + ranks))
            y = fill(shown, at, tokens)
            y = torch.where(y == net.mask, 0, y)  # behind the window: no track that is looked at sees it
            made.append(by_group(attention(net, hidden.h, y, order), order, i, torch.tensor(DEPTHS)))
    parts = [[torch.cat(side).unflatten(0, (STAGES, -1)) for side in zip(*made[k : k + STAGES])]
             for k in range(0, len(made), STAGES)]
    return tuple(np.concatenate([part[k].numpy().swapaxes(0, 1) for part in parts]) for k in (0, 1))


def _rows(study: Study, net) -> list[list]:
    mass, share = looked(study, net)
    rows = []
    for g, group in enumerate(GROUPS):
        for depth, k in ((ALL, slice(1, None)), *((depth, slice(k, k + 1)) for k, depth in enumerate(DEPTHS))):
            there = (share[:, :, k, g] > 0) | ("beside" not in group)  # a neighbour is carried in some states alone
            count = there.sum((1, 2)).astype(float)
            if (count > 0).mean() < 0.25:
                continue
            for quantity, of in (("attention", mass), ("tracks", share)):
                v = ratio_interval((of[:, :, k, g] * there).sum((1, 2)), count)
                rows.append([group, depth, quantity, v.value, v.low, v.high])
    # a revealed neighbour on one side, a drafted one on the other
    both = (share[:, :, 1:, 3] > 0) & (share[:, :, 1:, 4] > 0)
    v = ratio_interval((mass[:, :, 1:, 4] * both).sum((1, 2)), (mass[:, :, 1:, 3] * both).sum((1, 2)))
    return [*rows, ["beside, drafted", ALL, "over revealed", v.value, v.low, v.high]]


def measure(study: Study, store: Store) -> list[dict]:
    """Attention by group and depth; nothing before the held-out rows are in the store."""
    known = {r["key"]: r for r in done(store, "held_out", study.n)}
    cells = [known[cell.key()] for cell in cells_of(study) if cell.key() in known]
    net = study.nets["hybrid"].load("cpu")
    return [cached_table(store, study.name, NAME, COLUMNS, lambda: _rows(study, net),
                         cells, net=net.sha256)] if cells else []


def claims(store: Store, command: str) -> list[dict]:
    """attention.drafted, .beside_revealed, .beside_drafted, at depths 2 to 32; .drafted_over_revealed: a drafted
    neighbour's over a revealed one's.
    """
    record = newest(store, NAME)
    if record is None:
        print("attention: no claim, nothing is measured; run the study without --only")
        return []

    def read(group: str, quantity: str) -> list[float]:
        return [column(record, end, group=group, depth=ALL, quantity=quantity)[0] for end in ("value", "low", "high")]

    n, key, made = done(store, "held_out")[0]["cell"]["n"], [*record["cells"]], []
    for name, group in (("drafted", "drafted"), ("beside_revealed", "beside, revealed"),
                        ("beside_drafted", "beside, drafted")):
        note = (f"depths 2 to {WINDOW}{', where there is such a track' if 'beside' in group else ''}; "
                f"{read(group, 'tracks')[0]:.3f} of the tracks seen")
        made.append(claim(f"attention.{name}", *read(group, "attention"), "share of attention", n, command, key, note))
    note = "both sides of the place to be predicted known, one revealed, one drafted"
    return [*made, claim("attention.drafted_over_revealed", *read("beside, drafted", "over revealed"),
                         "attention / attention", n, command, key, note)]
