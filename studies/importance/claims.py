"""KL(heavy || light) and loss gap over the share of text revealed, and the placements ranked by the additive bound on
own states.

Claims importance.kl_first, .kl_middle, .kl_last and .middle_minus_sandwich.
"""

from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from harness.claims.claim import claim
from harness.kinds import Placement, Rows
from harness.records.measured import cached_table, column
from harness.records.points import done
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.sampling.reveal import reveal_times
from harness.schedules.placement import Interleaved, Middle, Prefix, Random, Sandwich, Segments, Suffix
from harness.stats.intervals import interval, resampled_sums
from harness.study import Study
from studies.analysis.additive_bound import Gaps, centres, gaps, predicted_loss

PIECES, RESAMPLES, SHARE = 16, 2000, 0.25
FINE = 16    # parts of a piece, so that placements with narrow teeth are charged for what they cover
CURVES = ("states", "quantity", "alpha", "value", "low", "high", "rows")
RANKED = ("placement", "named", "loss", "loss_low", "loss_high", "beyond_sandwich", "beyond_low", "beyond_high")
PLACED = {"sandwich": Sandwich(SHARE), "middle": Middle(SHARE), "prefix": Prefix(SHARE), "suffix": Suffix(SHARE),
          "interleaved": Interleaved(SHARE, teeth=8)}
NAMED = {(0, 1), (0, 7), (3, 4), (6, 7)}    # prefix, sandwich, middle, suffix
PLACEMENTS: dict[str, Placement] = PLACED | {f"random {d}": Random(SHARE, pieces=32, draw=d) for d in range(3)} | {
    f"segments {a} {b}": Segments((a, b), 8) for a, b in combinations(range(8), 2) if (a, b) not in NAMED}


def found_gaps(study: Study, x: Tensor) -> Gaps:
    """Of rows (n, L) as they were, or would have been, revealed under the study's seed."""
    ids = torch.arange(len(x))
    times = reveal_times(Rows(x, torch.zeros_like(x, dtype=torch.bool), ids, torch.zeros_like(ids), study.seed, {}))
    heavy, light = (study.nets[name].load("cpu") for name in ("heavy", "light"))
    return gaps(heavy, light, x, times, centres(PIECES))


def ratios(top: Tensor, bottom: Tensor) -> np.ndarray:
    """Ratios of sums over rows, (n, K) both -> (1 + resamples, K): as they are, then resampled."""
    sums = resampled_sums(torch.cat((top, bottom), 1).numpy(), RESAMPLES, seed=0)
    return sums[:, : top.shape[1]] / sums[:, top.shape[1] :]


def curves(states: str, found: Gaps) -> list[list]:
    rows, n = [], len(found.kl)
    for quantity, top in (("kl", found.kl), ("gap", found.gap)):
        for alpha, (value, *others) in zip(centres(PIECES).tolist(), ratios(top, found.masked).T):
            rows.append([states, quantity, alpha, *interval(value, others, n, 0.95)[:3], n])
    return rows


def ranking(found: Gaps) -> list[list]:
    """Nats a token that every placement may lose by the additive bound, and by how much more than the sandwich; least
    first.
    """
    kl = torch.from_numpy(ratios(found.kl, found.masked)).repeat_interleave(FINE, 1)  # (1 + resamples, K FINE)
    loss = {name: np.array([predicted_loss(row, placement) for row in kl]) for name, placement in PLACEMENTS.items()}
    spans = {name: [interval(v[0], v[1:], len(found.kl), 0.95) for v in (x, x - loss["sandwich"])] for name,
             x in loss.items()}
    return [[name, name in PLACED, *a[:3], *b[:3]] for name,
            (a, b) in sorted(spans.items(), key=lambda item: item[1][0].value)]


def measure(study: Study, store: Store) -> list[dict]:
    """kl and gap on text and on own states, and the ranking of placements."""
    keys = {cell.key(): cell for cell in cells_of(study)}
    cells = [r for arm in study.arms for r in done(store, arm.name, study.n) if r["key"] in keys]
    if study.prompt:
        raise ValueError("the importance study takes whole rows: leave its prompt at 0")
    own, made = {}, []

    def of(record: dict) -> Gaps:
        if record["key"] not in own:
            own[record["key"]] = found_gaps(study,
                                            torch.from_numpy(store.get("samples", record["key"]).astype(np.int64)))
        return own[record["key"]]

    nets = {name: study.nets[name].load("cpu").sha256 for name in ("heavy", "light")}
    for record in cells:
        states = "held-out text" if record["control"] else "own states"
        made.append(cached_table(store, study.name, f"kl and gap, {states}", CURVES, lambda r=record,
                         s=states: curves(s, of(r)), [record], **nets))
        if not record["control"]:
            made.append(cached_table(store, study.name, "placements", RANKED, lambda r=record: ranking(of(r)), [record],
                             **nets))
    return made


def claims(store: Store, command: str) -> list[dict]:
    """importance.kl_{first, middle, last}: kl where the text is nearly empty, half written and nearly done;
    .middle_minus_sandwich by the bound.
    """
    latest = {m["name"]: m for m in store.of("measured")}
    own, ranked = latest["kl and gap, own states"], latest["placements"]
    rows, n, keys = [], column(own, "rows")[0], list(own["cells"])
    spans = list(zip(*(column(own, end, quantity="kl") for end in ("value", "low", "high"))))
    for name, place in (("first", 0), ("middle", PIECES // 2), ("last", PIECES - 1)):
        alpha = centres(PIECES)[place].item()
        rows.append(claim(f"importance.kl_{name}", *spans[place], "nats per masked token", n, command, keys,
                          f"alpha = {alpha:.3f}, the sampler's own states"))
    order = column(ranked, "placement")
    beyond = (column(ranked, f"beyond_{end}", placement="middle")[0] for end in ("sandwich", "low", "high"))
    rows.append(claim("importance.middle_minus_sandwich", *beyond, "nats per token, upper bound", n, command, keys,
                      f"additive bound; of {len(order)} placements the sandwich is {order.index('sandwich') + 1}., "
                      f"the middle {order.index('middle') + 1}."))
    nets = {r["path"]: r["sha256"] for r in store.of("network") if r.get("path")
            and r["sha256"] in own["settings"].values()}
    return [row | {"nets": nets} for row in rows]
