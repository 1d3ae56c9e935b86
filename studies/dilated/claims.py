"""Dilated orders against uniform ones: passes at equal quality, quality at equal settings, and what the order costs the
network's own law.

Claims nfe_ratio.dilated.{judge, ngram, spelling}[.long | .fixed][.at_64], dilated.{judge, ngram, spelling,
sample_entropy}.{ssmd, fixed} dilated.longer.{uniform, dilated} and dilated.law_minus_uniform.
"""

import numpy as np
import torch
from torch import Tensor

from harness.claims.claim import claim
from harness.kinds import Dataset, Denoiser, Order, Scores
from harness.random import Stream, uniform
from harness.records.measured import cached_table, column, newest
from harness.records.points import done, rows
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.schedules.order import UNIFORM, Dilated
from harness.stats.intervals import paired_difference
from harness.study import Study
from studies.analysis.matched import difference, ratio

ARMS = {"": "ssmd_dilated", ".long": "ssmd_dilated_long", ".fixed": "fixed_dilated"}    # of a claim's name
MATCHED = {"": 32, ".at_64": 64}                          # steps of ancestral sampling
PAIRS = {"ssmd": ("ssmd_dilated", "ssmd_frozen", "Linear(0.125)"),
         "fixed": ("fixed_dilated", "fixed", "8 tokens a pass")}
UNITS = {"judge": "judge nats per token, paired", "ngram": "n-gram nats per token, paired",
         "spelling": "share of words, paired", "sample_entropy": "nats, paired"}
LOOKED_AT = 128                                           # held-out rows under the network's own law
NAME, COLUMNS = "one token a pass", ("order", "value", "low", "high")


@torch.inference_mode()
def nats(net: Denoiser, data: Dataset, law: Order, n: int, seed: int, batch: int = 256) -> np.ndarray:
    """-log p(x | sigma) of held-out rows, one token a pass in an order of this law, (n,): every state of every row, the
    next token alone.
    """
    x, rows = data.rows("test", n, seed), torch.arange(n)
    order = law.times(uniform(seed, rows, Stream.ORDER, torch.arange(data.length))).argsort(1)             # (n, L)
    found = []
    for part in torch.arange(n * data.length).split(batch):
        row, i = part // data.length, part % data.length
        shown = torch.where(order[row].argsort(1) < i[:, None], x[row], net.mask)                          # (b, L)
        at: Tensor = order[row].gather(1, i[:, None])                                                      # (b, 1)
        logp = net.draft(shown, at)[0][:, 0].double().log_softmax(-1)                                      # (b, V)
        found.append(-logp.gather(1, x[row].gather(1, at))[:, 0])
    return torch.cat(found).view(n, data.length).sum(1).numpy()


def _rows(study: Study) -> list[list]:
    net, n = study.nets["heavy"].load("cpu"), min(study.n, LOOKED_AT)
    tokens = np.full(n, float(study.data.length))
    dilated, even = (Scores(0.0, nats(net, study.data, law, n, study.seed), tokens) for law in (Dilated(), UNIFORM))
    return [["dilated minus uniform", *paired_difference(dilated, even)[:3]],
            *([name, *paired_difference(side, Scores(0.0, 0 * tokens, tokens))[:3]]
             for name, side in (("dilated", dilated), ("uniform", even)))]


def measure(study: Study, store: Store) -> list[dict]:
    """Held-out text under the heavy network's law, one token a pass; nothing before the held-out rows are in the
    store.
    """
    known = {r["key"]: r for r in done(store, "held_out", study.n)}
    cells = [known[cell.key()] for cell in cells_of(study) if cell.key() in known]
    net = study.nets["heavy"].load("cpu").sha256
    return (
        [cached_table(store, study.name, NAME, COLUMNS, lambda: _rows(study), cells,
                      net=net, rows=LOOKED_AT)] if cells else []
    )


def setting(record: dict) -> object:
    """What an arm and its partner in the other order share."""
    sampler = record["cell"]["sampler"]
    host = sampler.get("host", sampler)
    return host.get("window") or host["tokens"]


def pair(store: Store, *arms: str) -> list[dict | None]:
    """The record of each arm at the setting that PAIRS names."""
    n = rows(store, *arms)
    return [next((r for r in done(store, arm, n) if setting(r) in ({"name": "linear", "delta": 0.125}, 8)), None)
            for arm in arms]


def longer(name: str, store: Store, command: str) -> list[dict]:
    """What a longer training of the causal block changes, in uniform and in dilated orders: NAME.{uniform, dilated}."""
    note = "Linear(0.125), causal block trained on 48 M characters minus on 16 M"
    return [row for order, arm in (("uniform", "ssmd_frozen"), ("dilated", "ssmd_dilated"))
            for row in difference(f"{name}.{order}", pair(store, f"{arm}_long", arm), "judge", UNITS["judge"], store,
                                  command, note)]


def claims(store: Store, command: str) -> list[dict]:
    """Passes at equal quality, differences at the setting that PAIRS names, and the law of one token a pass."""
    made = [row for label, better in (("judge", "lower"), ("ngram", "lower"), ("spelling", "higher")) for end,
            arm in ARMS.items() for where, steps in MATCHED.items()
            for row in ratio(f"nfe_ratio.dilated.{label}{end}{where}", store, command, arm, steps, label,
                             better=better)]
    for name, (mine, other, where) in PAIRS.items():
        made += [row for label, unit in UNITS.items()
                 for row in difference(f"dilated.{label}.{name}", pair(store, mine, other), label, unit, store, command,
                                       f"{where}, dilated minus uniform")]
    made += longer("dilated.longer", store, command)
    record = newest(store, NAME)
    if record is None:
        print("dilated.law_minus_uniform: no claim, nothing is measured; run the study without --only")
        return made
    one, even = ([column(record, end, order=name)[0] for end in ("value", "low", "high")]
                 for name in ("dilated minus uniform", "uniform"))
    note = f"held-out text, one token a pass; in uniform orders {even[0]:.3f}"
    return [*made, claim("dilated.law_minus_uniform", *one, "nats per token, paired", record["settings"]["rows"],
                         command, [*record["cells"]], note)]
